package discovery

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// gate bounds the connections of the registration listener without waiting: whoever comes takes the place of the one that
// has been silent for longest, of its own address's if that has too many, and only if all are being answered he is
// turned away. Strangers, where it is known who is none, have places of their own.
//
//	accepted ──▶ waiting ──request──▶ answering ──▶ waiting …
//	                │                     │
//	                └─ displaced, idle ───┴─ refused: waiting for its end
type gate struct {
	net.Listener
	trusted func(netip.Addr) bool // nil: nobody is a stranger

	mu    sync.Mutex
	rooms [2]room // strangers', callers'
	turn  uint64
}

// room is a bounded number of connections.
type room struct {
	most, each int // in all, of one address
	conns      map[*gated]bool
}

// newGate puts a gate before a listener.
func newGate(l net.Listener, trusted func(netip.Addr) bool) *gate {
	return &gate{Listener: l, trusted: trusted, rooms: [2]room{
		{maxStrangers, maxStrangersEach, map[*gated]bool{}}, {maxConnections, maxConnectionsEach, map[*gated]bool{}}}}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if in, out := g.admit(c); in != nil {
			for _, c := range out {
				c.Close()
			}
			return in, nil
		}
		c.Close()
	}
}

// admit finds a place for a connection, and says whose it was.
func (g *gate) admit(c net.Conn) (in *gated, out []*gated) {
	addr := addrOf(c)
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &g.rooms[1]
	if g.trusted != nil && !g.trusted(addr) {
		r = &g.rooms[0]
	}
	in = &gated{Conn: c, gate: g, room: r, from: network(addr)}
	own := 0
	for o := range r.conns {
		if o.from == in.from {
			own++
		}
	}
	var displaced *gated
	switch {
	case own >= r.each:
		displaced = r.silent(in.from)
	case len(r.conns) >= r.most:
		displaced = r.silent(netip.Prefix{})
	default:
		g.enter(in)
		return in, nil
	}
	if displaced == nil {
		return nil, nil
	}
	delete(r.conns, displaced)
	g.enter(in)
	return in, []*gated{displaced}
}

// enter needs g.mu.
func (g *gate) enter(c *gated) {
	g.turn++
	c.since = g.turn
	c.room.conns[c] = true
}

// silent is the connection that has waited for longest, of one network or of all. It needs gate.mu.
func (r *room) silent(from netip.Prefix) *gated {
	var longest *gated
	for c := range r.conns {
		if !c.busy && (!from.IsValid() || c.from == from) && (longest == nil || c.since < longest.since) {
			longest = c
		}
	}
	return longest
}

// state follows what the server does with a connection.
func (g *gate) state(c net.Conn, s http.ConnState) {
	if c, ok := c.(*gated); ok {
		c.answering(s == http.StateActive)
	}
}

// gated is a connection with a place; gate.mu guards it.
type gated struct {
	net.Conn
	gate  *gate
	room  *room
	from  netip.Prefix
	since uint64 // turn in which it began to wait
	busy  bool   // a request is being answered
}

func (c *gated) answering(busy bool) {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.gate.turn++
	c.busy, c.since = busy, c.gate.turn
}

// Close implements net.Conn.
func (c *gated) Close() error {
	c.gate.mu.Lock()
	delete(c.room.conns, c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// gatedKey is where a request's context has its connection.
type gatedKey struct{}

func (g *gate) context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, gatedKey{}, c)
}

// refused notes that what else a request sends is of no interest: its connection's place is another's.
func refused(r *http.Request) {
	if c, ok := r.Context().Value(gatedKey{}).(*gated); ok {
		c.answering(false)
	}
}

func addrOf(c net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// network is what one host can have addresses of: an IPv4 address, a /64 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}
