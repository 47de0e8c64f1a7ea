package session

import (
	"time"

	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// Held is one running publish or play, for whoever has to end or move it.
type Held struct {
	Client
	Name    stream.Name
	c       *conn
	st      *netStream
	opening bool // the handler has not answered the publish
}

// Held returns every publish and play that runs now, and the plays that are starting.
func (s *Server) Held() []Held {
	s.mu.Lock()
	conns := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	var all []Held
	for _, c := range conns {
		c.mu.Lock()
		for st := range c.streams.all() {
			all = append(all, Held{st.client, st.name, c, st, false})
		}
		c.mu.Unlock()
	}
	return all
}

// Opening returns the publishes that a [Handler] has been asked for and has not answered. Who
// asks for them first, and then for those held, misses none.
func (s *Server) Opening() (all []Held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for st, c := range s.opening {
		all = append(all, Held{st.client, st.name, c, st, true})
	}
	return all
}

// open notes a publish that the handler is asked for. done is to be called when it is among the
// connection's streams, or was refused.
func (s *Server) open(c *conn, st *netStream) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opening == nil {
		s.opening = make(map[*netStream]*conn)
	}
	s.opening[st] = c
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.opening, st)
	}
}

// Elsewhere says that the stream is to be at another server, to which this one carries the
// session. It is for a [Handler] to say before that begins.
func (p *Publish) Elsewhere() { p.st.elsewhere.Store(true) }

// Elsewhere is as for a Publish.
func (p *Play) Elsewhere() { p.st.elsewhere.Store(true) }

// Key tells a publish or play from every other one. It may be compared.
func (h Held) Key() any { return h.st }

// Admitted says that the session is not refused at the door: from now on it is one that the node
// has, until it ends. It is for a [Handler] to say, before it does what may take time.
func (p *Publish) Admitted() { p.st.admitted.Store(true) }

// Admitted is as for a Publish.
func (p *Play) Admitted() { p.st.admitted.Store(true) }

// Admitted reports whether the handler has said so.
func (h Held) Admitted() bool { return h.st.admitted.Load() }

// Elsewhere reports whether the session is only carried here.
func (h Held) Elsewhere() bool { return h.st.elsewhere.Load() }

// Runs reports whether there is something to end or to move: a publish that the handler has
// answered, or a play, which may wait for its stream for as long as it likes.
func (h Held) Runs() bool { return !h.opening }

// Publishers is how many publish here, each once: what the node named self sends to itself,
// as a front that is the origin too, has come in before.
func (s *Server) Publishers(self string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.conns {
		c.mu.Lock()
		for st := range c.streams.all() {
			if st.publisher != nil && st.client.Member != self {
				n++
			}
		}
		c.mu.Unlock()
	}
	return n
}

// Began is when the connection was accepted, Bytes what it has received and sent.
func (h Held) Began() time.Time       { return h.c.began }
func (h Held) Bytes() (in, out int64) { return h.c.bytes() }

// Through is how the publish or play is served, and by which server, if its Publisher or
// Player has a method of this name that says so; what has none is this node's own. A play that
// has not started yet is nobody's: "".
func (h Held) Through() (how, server string) {
	var by any = h.st.publisher
	if h.st.publisher == nil {
		h.st.mu.Lock()
		defer h.st.mu.Unlock()
		if h.st.player == nil {
			return "", ""
		}
		by = h.st.player
	}
	if t, ok := by.(interface {
		Through() (how, server string)
	}); ok {
		return t.Through()
	}
	return Served, ""
}

// Served is how this node's own publishes and plays go on.
const Served = "served"

// AskToMove asks the other side to go on elsewhere, and reports whether it is one
// that can: a front that carries the session, or a client that announced the
// reconnect request of enhanced RTMP. tcURL is where to ("" = wherever it likes).
func (h Held) AskToMove(tcURL string) bool {
	switch {
	case h.Member != "":
		// Between members it is a status of the NetStream: the connection may carry
		// others.
		return h.c.wire.Load().Status(h.st.id, rtmp.LevelStatus, rtmp.CodeReconnect, "This node is being drained.", nil) == nil
	case h.Connect.CapsEx&rtmp.CapsReconnect != 0:
		return h.c.wire.Load().RequestReconnect(tcURL, "This server is being drained.") == nil
	}
	return false
}

// End tells the client and ends its publish or play. It waits for nobody who plays.
func (h Held) End(reason event.Reason) {
	if h.st.publisher != nil {
		h.c.evict(h.st, rtmp.CodePublishRejected, reason, nil)
		return
	}
	c, why := h.c, "This server is being drained."
	if reason == event.Kicked {
		why = "An operator has ended this session."
	}
	was, others := c.drop(h.st)
	if !was {
		return
	}
	hangsUp := !others && h.Member == "" && c.ends(ending{reason: reason, by: event.ByServer})
	bye := func() {
		h.st.close() // first: the player may own the write side, which is closed behind the words
		c.wire.Load().Status(h.st.id, rtmp.LevelStatus, rtmp.CodePlayStop, why, nil)
		if hangsUp {
			c.hangUp()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		go bye() // the session is past waiting for it
		return
	}
	c.pending.Go(bye)
}
