package session

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// Options are a Server's parts and limits.
type Options struct {
	Node    string        // this node's name, for the proof of membership
	Secret  func() []byte // the cluster's
	Handler Handler
	Emit    event.Sink
	Wire    rtmp.Limits // Handshake negative: this package keeps that deadline

	Handshake time.Duration // TLS, handshake and connect, in all
	Command   time.Duration // from connect to the first publish or play
	// Record keeps what clients say before they publish or play, for handlers that
	// take connections; see Wire.
	Record bool
	// CollectFrom is from how many publishing connections on they are read by the
	// clock instead of by a goroutine each; see collector.go. Default: 64.
	CollectFrom int
	// ConnectionsPerAddr bounds one address's connections; Trusted exempts the
	// addresses of other nodes and of proxies. Nil: nobody is exempt.
	ConnectionsPerAddr int
	Trusted            func(netip.Addr) bool
	// Proxy says whose connections begin with a PROXY header, which says for whom
	// they are. Nil: nobody's.
	Proxy func(netip.Addr) bool
	// Mark is what handshakes say of this node to peers that know to look; nil: nothing.
	Mark func() []byte
}

func (s *Server) mark() []byte {
	if s.o.Mark == nil {
		return nil
	}
	return s.o.Mark()
}

func (o *Options) trusted(a netip.Addr) bool { return o.Trusted != nil && o.Trusted(a) || o.proxy(a) }

func (o *Options) proxy(a netip.Addr) bool { return o.Proxy != nil && o.Proxy(a) }

// MemberStreams bounds the NetStreams of a connection between nodes: the feeds
// that share it, with room for those being given back.
const MemberStreams = 256

// Server is all RTMP sessions of a node.
type Server struct {
	o           Options
	ctx         context.Context
	cancel      context.CancelFunc
	wg          sync.WaitGroup
	perAddr     perAddr
	startParker sync.Once
	parker      *parker // nil: every connection keeps its goroutine; see parks
	ids         atomic.Uint64
	total       atomic.Int64 // connections there have been

	collectorsOnce sync.Once
	collectors     []*collector
	feeds          atomic.Int64 // connections that publish, or have
	collecting     atomic.Bool  // they are many

	counting sync.Mutex // before mu
	scratch  []*conn    // guarded by counting

	mu      sync.Mutex
	closed  bool
	conns   map[uint64]*conn
	opening map[*netStream]*conn // publishes that the handler has been asked for; see Server.open
	headers map[net.Conn]bool    // connections whose PROXY header is awaited
	ended   tally
}

// NewServer returns a Server without sessions.
func NewServer(o Options) *Server {
	if o.CollectFrom == 0 {
		o.CollectFrom = manyFeeds
	}
	s := &Server{o: o, conns: make(map[uint64]*conn), perAddr: perAddr{n: make(map[netip.Addr]int)}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Len is the number of open connections.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Total is how many connections there have been.
func (s *Server) Total() int64 { return s.total.Load() }

// Number is one that no connection has: for what else is a session of this node.
func (s *Server) Number() uint64 { return s.ids.Add(1) }

// Close ends all sessions in good order and waits for them, until ctx ends:
// publishers and viewers are told before their connection closes. The
// listeners are the caller's to close first.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	all := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		all = append(all, c)
	}
	for nc := range s.headers {
		nc.Close()
	}
	s.mu.Unlock()
	defer s.cancel()
	var leaving sync.WaitGroup
	for _, c := range all {
		leaving.Go(c.leave) // each waits for its client
	}
	done := make(chan struct{})
	go func() {
		leaving.Wait()
		s.wg.Wait()
		s.startParker.Do(func() {}) // or never
		s.parker.close()
		s.collectorsOnce.Do(func() {})
		for _, k := range s.collectors {
			k.close()
		}
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		for _, c := range all {
			c.cut()
		}
		return context.Cause(ctx)
	}
}

// newConn registers a connection; nil when the server is closed. The caller
// owes wg.Done.
func (s *Server) newConn(nc net.Conn, secure bool, from origin) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	c := &conn{s: s, nc: nc, from: from.addr, began: time.Now()}
	c.client.Conn = s.Number()
	s.total.Add(1)
	c.client.Remote, c.client.Local = from.remote, from.local
	c.client.Role = event.RoleUnknown
	c.client.TLS = secure
	// Not a child of s.ctx, which would keep a table of thousands: Close ends each
	// session itself.
	c.ctx, c.cancel = context.WithCancel(context.Background())
	s.conns[c.client.Conn] = c
	s.wg.Add(1)
	return c
}
