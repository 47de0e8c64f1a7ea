package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/stream"
	"weir/rtmp"
)

// ErrPeerSilent: a node's connection gave no sign of life for [PeerSilence].
var ErrPeerSilent = errors.New("relay: the node went silent")

// ErrPeersClosed: this node is going away.
var ErrPeersClosed = errors.New("relay: closed")

// Dialer opens a plain or TLS connection to a node's RTMP address.
type Dialer func(ctx context.Context, addr string) (net.Conn, error)

// Peers keeps this node's connections to the other nodes.
type Peers struct {
	node   string
	secret func() []byte
	dial   Dialer
	ctx    context.Context // of the dials; ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // dials and connections

	mu     sync.Mutex
	closed bool
	byAddr map[string]*peerSet // those with a connection or a dial
}

// peerSet is all connections to one address. Guarded by Peers.mu.
type peerSet struct {
	conns []*peerConn
	dial  *dialing // under way, for everybody who wants a connection; or nil
}

// dialing is one attempt that all who came meanwhile share: a cold edge with 500
// joins a second opens one connection, and 500 pulls of a node that has died fail
// together, not one after the other.
type dialing struct {
	done chan struct{}
	err  error // set before done is closed
}

// NewPeers returns an empty pool. secret is asked at each dial.
func NewPeers(node string, secret func() []byte, dial Dialer) *Peers {
	p := &Peers{node: node, secret: secret, dial: dial, byAddr: make(map[string]*peerSet)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Close ends all connections and waits for them; their feeds end with
// [ErrPeersClosed].
func (p *Peers) Close() {
	p.mu.Lock()
	p.closed = true
	var all []*peerConn
	for _, set := range p.byAddr {
		all = append(all, set.conns...)
	}
	p.mu.Unlock()
	for _, c := range all {
		c.fail(ErrPeersClosed)
	}
	p.cancel()
	p.wg.Wait()
}

// get returns a connection with room for one more feed, and counts that feed.
func (p *Peers) get(ctx context.Context, addr string) (*peerConn, error) {
	for {
		c, d, err := p.pick(addr)
		if c != nil || err != nil {
			return c, err
		}
		select {
		case <-d.done:
			if d.err != nil {
				return nil, fmt.Errorf("node at %s: %w", addr, d.err)
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// pick returns a connection, or the dial that will bring one.
func (p *Peers) pick(addr string) (*peerConn, *dialing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, ErrPeersClosed
	}
	set := p.byAddr[addr]
	if set == nil {
		set = new(peerSet)
		p.byAddr[addr] = set
	}
	for _, c := range set.conns {
		if c.used < FeedsPerConnection {
			c.used++
			return c, nil, nil
		}
	}
	if set.dial == nil {
		set.dial = &dialing{done: make(chan struct{})}
		p.wg.Go(func() { p.open(addr, set, set.dial) })
	}
	return nil, set.dial, nil
}

// open runs one dial.
func (p *Peers) open(addr string, set *peerSet, d *dialing) {
	defer close(d.done)
	c, err := p.connect(p.ctx, addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	set.dial = nil
	switch {
	case err != nil:
		d.err = err
		p.forget(addr, set)
	case p.closed:
		d.err = ErrPeersClosed
		c.conn.Close()
	default:
		c.idleSince = time.Now()
		set.conns = append(set.conns, c)
		p.wg.Go(c.read)
		p.wg.Go(c.keepAlive)
	}
}

// forget drops an empty set: addresses of nodes come and go. mu is held.
func (p *Peers) forget(addr string, set *peerSet) {
	if len(set.conns) == 0 && set.dial == nil && p.byAddr[addr] == set {
		delete(p.byAddr, addr)
	}
}

// put gives back one feed's place.
func (p *Peers) put(c *peerConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.used--
	c.idleSince = time.Now()
}

func (p *Peers) connect(ctx context.Context, addr string) (*peerConn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	nc, err := p.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	conn, _, err := ConnectMember(ctx, nc, p.node, p.secret(), &rtmp.Connect{App: "weir", TCURL: "rtmp://" + addr + "/weir"})
	if err != nil {
		nc.Close()
		return nil, err
	}
	return &peerConn{peers: p, addr: addr, conn: conn, feeds: make(map[uint32]*feed), done: make(chan struct{})}, nil
}

// ConnectMember runs handshake, connect and the mutual proof on a fresh
// connection to a node, and returns it ready for streams together with the
// node's name. Until it returns the caller must not read from nc. On an error nc
// is the caller's to close.
func ConnectMember(ctx context.Context, nc net.Conn, node string, secret []byte, c *rtmp.Connect) (*rtmp.ClientConn, string, error) {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// The deadline is ctx's: one of the handshake's own would be lifted after it,
	// and ctx's with it if they come together.
	conn := rtmp.NewClientConn(nc, rtmp.Options{ChunkSize: live.ChunkSize, Limits: rtmp.Limits{Handshake: -1}})
	if err := conn.Handshake(); err != nil {
		return nil, "", fmt.Errorf("handshake: %w", err)
	}
	proof, offer := member.Offer(secret, node)
	c.Object = append(c.Object, offer...)
	res, err := conn.Connect(c)
	if err != nil {
		return nil, "", err
	}
	answer, err := proof.Answer(res.Properties)
	if err != nil {
		return nil, "", err
	}
	if _, err := conn.CallNow(member.CommandProve, answer); err != nil {
		return nil, "", fmt.Errorf("%w: %w", member.ErrNotMember, err)
	}
	if !stop() {
		return nil, "", context.Cause(ctx)
	}
	nc.SetDeadline(time.Time{})
	return conn, proof.PeerNode(), nil
}

// peerConn is one proven connection to a node.
type peerConn struct {
	peers *Peers
	addr  string
	conn  *rtmp.ClientConn

	// Guarded by Peers.mu.
	used      int
	idleSince time.Time

	mu    sync.Mutex
	feeds map[uint32]*feed // by message stream id; nil after fail
	err   error

	done chan struct{}
}

// read is the connection's one reader: it hands every message to its feed.
func (c *peerConn) read() {
	for {
		ev, err := c.conn.Next()
		if err != nil {
			c.fail(err)
			return
		}
		switch ev.Kind {
		case rtmp.EventMedia:
			if f := c.feed(ev.StreamID); f != nil {
				f.message(ev.Message)
			}
		case rtmp.EventStatus:
			if f := c.feed(ev.StreamID); f != nil {
				f.status(ev.Status)
			}
		}
	}
}

func (c *peerConn) feed(id uint32) *feed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.feeds[id]
}

// keepAlive closes a connection that gives no sign of life, or has no use.
func (c *peerConn) keepAlive() {
	idle := false
	err := WatchAlive(c.conn, c.done, func(now time.Time) bool {
		idle = c.idle(now)
		return idle
	})
	if err != nil || idle {
		c.fail(err)
	}
}

func (c *peerConn) idle(now time.Time) bool {
	c.peers.mu.Lock()
	defer c.peers.mu.Unlock()
	if c.used > 0 || now.Sub(c.idleSince) < PeerIdle {
		return false
	}
	c.remove()
	return true
}

// remove takes c out of the pool; Peers.mu is held.
func (c *peerConn) remove() {
	set := c.peers.byAddr[c.addr]
	if set == nil {
		return
	}
	set.conns = slices.DeleteFunc(set.conns, func(other *peerConn) bool { return other == c })
	c.peers.forget(c.addr, set)
}

// fail ends the connection and all its feeds, once.
func (c *peerConn) fail(err error) {
	c.peers.mu.Lock()
	c.remove()
	c.peers.mu.Unlock()

	c.mu.Lock()
	feeds := c.feeds
	if feeds == nil {
		c.mu.Unlock()
		return
	}
	c.feeds, c.err = nil, err
	close(c.done)
	c.mu.Unlock()
	c.conn.Close()
	for _, f := range feeds {
		f.end(err)
	}
}

// open starts a feed of one stream over c.
func (c *peerConn) open(ctx context.Context, f *feed, name stream.Name) error {
	id, err := c.createStream(ctx)
	if err != nil {
		return err
	}
	f.id = id
	c.mu.Lock()
	if c.feeds == nil {
		err := c.err
		c.mu.Unlock()
		return fmt.Errorf("connection lost: %w", err)
	}
	c.feeds[id] = f
	c.mu.Unlock()
	return c.conn.Send(id, "play", name.String(), -2000, -1, true, member.PlayExtra{Feed: true, Hops: 1}.Object())
}

// createStream asks for a NetStream, also for one who has given up meanwhile: an
// answer that nobody hears is a NetStream that nobody gives back, and the node
// has only so many for us.
func (c *peerConn) createStream(ctx context.Context) (uint32, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), AnswerTimeout)
	defer cancel()
	id, err := c.conn.CreateStream(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		c.fail(ErrPeerSilent)
	}
	return id, err
}

// closeFeed ends one feed and gives its NetStream back.
func (c *peerConn) closeFeed(f *feed) {
	f.close()
	c.mu.Lock()
	_, open := c.feeds[f.id]
	delete(c.feeds, f.id)
	c.mu.Unlock()
	if open {
		// Not here: the pull has to go on, and this waits while the node takes nothing.
		go c.conn.DeleteStream(f.id)
	}
	c.peers.put(c)
}

// Query asks the node at addr about itself and returns its JSON answer.
func (p *Peers) Query(ctx context.Context, addr, what, after string) (string, error) {
	c, err := p.get(ctx, addr)
	if err != nil {
		return "", err
	}
	defer p.put(c)
	ctx, cancel := context.WithTimeout(ctx, AnswerTimeout)
	defer cancel()
	reply, err := c.conn.Call(ctx, 0, member.CommandQuery, what, after)
	if err != nil {
		return "", err
	}
	if reply.Error || len(reply.Args) == 0 {
		return "", fmt.Errorf("node at %s refused the query %q", addr, what)
	}
	text, _ := reply.Args[0].(string)
	return text, nil
}
