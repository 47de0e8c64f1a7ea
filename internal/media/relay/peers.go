package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"weir/internal/media/member"
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

	traffic Traffic

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

// Bytes are what has come and gone over all connections so far. Neither ever falls.
func (p *Peers) Bytes() (in, out int64) { return p.traffic.Bytes() }

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
		p.traffic.Opened(c.conn)
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
	conn, err := ConnectMember(ctx, nc, p.node, p.secret(), &rtmp.Connect{App: "weir", TCURL: "rtmp://" + addr + "/weir"})
	if err != nil {
		nc.Close()
		return nil, err
	}
	return &peerConn{peers: p, addr: addr, conn: conn, feeds: make(map[uint32]*feed), done: make(chan struct{})}, nil
}

// Query puts a question to the node at addr and returns its JSON answer.
func (p *Peers) Query(ctx context.Context, addr, question, arg string) (string, error) {
	c, err := p.get(ctx, addr)
	if err != nil {
		return "", err
	}
	defer p.put(c)
	ctx, cancel := context.WithTimeout(ctx, AnswerTimeout)
	defer cancel()
	reply, err := c.conn.Call(ctx, 0, member.CommandQuery, question, arg)
	if err != nil {
		return "", err
	}
	if reply.Error || len(reply.Args) == 0 {
		return "", fmt.Errorf("node at %s refused the query %q", addr, question)
	}
	text, _ := reply.Args[0].(string)
	return text, nil
}
