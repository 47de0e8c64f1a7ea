package session

import (
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// Held is one running publish or play, for whoever has to end or move it.
type Held struct {
	Client
	Name stream.Name
	c    *conn
	st   *netStream
}

// Held returns every publish and play that runs now.
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
			all = append(all, Held{st.client, st.name, c, st})
		}
		c.mu.Unlock()
	}
	return all
}

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

// End tells the client and ends its publish or play.
func (h Held) End(reason event.Reason) {
	if h.st.publisher != nil {
		h.c.evict(h.st, rtmp.CodePublishRejected, reason, nil)
		return
	}
	h.c.wire.Load().Status(h.st.id, rtmp.LevelStatus, rtmp.CodePlayStop, "This server is being drained.", nil)
	h.c.playEnded(h.st, reason, event.ByServer, nil)
}
