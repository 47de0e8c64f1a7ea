package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
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

	mu     sync.Mutex
	closed bool
	byAddr map[string]*peerSet
}

// peerSet is all connections to one address. dialing serializes dials, so that
// a cold edge with 500 joins a second opens one connection, not 500.
type peerSet struct {
	dialing sync.Mutex
	conns   []*peerConn // guarded by Peers.mu
}

// NewPeers returns an empty pool. secret is asked at each dial.
func NewPeers(node string, secret func() []byte, dial Dialer) *Peers {
	return &Peers{node: node, secret: secret, dial: dial, byAddr: make(map[string]*peerSet)}
}

// Close ends all connections; their feeds end with [ErrPeersClosed].
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
}

// get returns a connection with room for one more feed, and counts that feed.
func (p *Peers) get(ctx context.Context, addr string) (*peerConn, error) {
	p.mu.Lock()
	set := p.byAddr[addr]
	if set == nil {
		set = new(peerSet)
		p.byAddr[addr] = set
	}
	c, err := p.pick(set)
	p.mu.Unlock()
	if c != nil || err != nil {
		return c, err
	}
	set.dialing.Lock()
	defer set.dialing.Unlock()
	p.mu.Lock()
	c, err = p.pick(set)
	p.mu.Unlock()
	if c != nil || err != nil {
		return c, err
	}
	c, err = p.connect(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("node at %s: %w", addr, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.conn.Close()
		return nil, ErrPeersClosed
	}
	set.conns = append(set.conns, c)
	c.used = 1
	go c.read()
	go c.keepAlive()
	return c, nil
}

func (p *Peers) pick(set *peerSet) (*peerConn, error) {
	if p.closed {
		return nil, ErrPeersClosed
	}
	for _, c := range set.conns {
		if c.used < FeedsPerConnection {
			c.used++
			return c, nil
		}
	}
	return nil, nil
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
	for i, other := range set.conns {
		if other == c {
			set.conns = append(set.conns[:i:i], set.conns[i+1:]...)
			break
		}
	}
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
	id, err := c.conn.CreateStream(ctx)
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

// closeFeed ends one feed and gives its NetStream back.
func (c *peerConn) closeFeed(f *feed) {
	f.close()
	c.mu.Lock()
	_, open := c.feeds[f.id]
	delete(c.feeds, f.id)
	c.mu.Unlock()
	if open {
		c.conn.DeleteStream(f.id)
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
