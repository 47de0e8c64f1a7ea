package session

import "weir/internal/ops/event"

// Traffic is what sessions have received and sent, on the wire.
type Traffic struct{ In, Out int64 }

func (t Traffic) plus(o Traffic) Traffic { return Traffic{t.In + o.In, t.Out + o.Out} }

// tally is the traffic of sessions that have ended.
type tally struct {
	by  map[event.Role]Traffic
	own Traffic // of them those that this node had opened to itself
}

// tally is what a session has moved so far, and as what it counts: "" while it has not said what it is
// for. own: this node itself is the client.
func (c *conn) tally() (as event.Role, own bool, t Traffic) {
	t.In, t.Out = c.bytes()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.as, c.own, t
}

// snapshot is the tally of those that have ended, and a list of those that have not: asking each of them for its bytes under
// the lock would take longer than who comes or goes should wait. It needs s.counting.
func (s *Server) snapshot() (t tally, open []*conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t = tally{by: make(map[event.Role]Traffic, len(s.ended.by)), own: s.ended.own}
	for role, of := range s.ended.by {
		t.by[role] = of
	}
	s.scratch = s.scratch[:0]
	for _, c := range s.conns {
		s.scratch = append(s.scratch, c)
	}
	return t, s.scratch
}

// each calls f for each open session, and returns the tally of those that have ended before. One that ends
// meanwhile is among the open ones. One caller at a time, so what two calls add up to never falls from
// the first to the second.
func (s *Server) each(f func(c *conn)) tally {
	s.counting.Lock()
	defer s.counting.Unlock()
	t, open := s.snapshot()
	for _, c := range open {
		f(c)
	}
	clear(s.scratch)
	return t
}

// Bytes are what all sessions so far have received and sent, on the wire. Neither
// ever falls.
func (s *Server) Bytes() (in, out int64) {
	var open Traffic
	t := s.each(func(c *conn) {
		i, o := c.bytes()
		open = open.plus(Traffic{i, o})
	})
	for _, of := range t.by {
		open = open.plus(of)
	}
	return open.In, open.Out
}

// Traffic is Bytes by what the sessions are, or were: what each was for first. Those that have not said
// yet are not in it. own is the part of sessions that this node has with itself, which is in
// them too.
func (s *Server) Traffic() (by map[event.Role]Traffic, own Traffic) {
	open := make(map[event.Role]Traffic, len(event.Roles()))
	var ownOpen Traffic
	t := s.each(func(c *conn) {
		as, own, of := c.tally()
		if as == "" {
			return
		}
		open[as] = open[as].plus(of)
		if own {
			ownOpen = ownOpen.plus(of)
		}
	})
	for role, of := range open {
		t.by[role] = t.by[role].plus(of)
	}
	return t.by, t.own.plus(ownOpen)
}

// remove takes a connection off and returns what it has received and sent, which
// counts from now on here: as what it was for, or as what its closing line says.
func (s *Server) remove(c *conn, closing event.Role) (in, out int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	as, own, of := c.tally()
	if as == "" {
		as = closing
	}
	delete(s.conns, c.client.Conn)
	if s.ended.by == nil {
		s.ended.by = make(map[event.Role]Traffic)
	}
	s.ended.by[as] = s.ended.by[as].plus(of)
	if own {
		s.ended.own = s.ended.own.plus(of)
	}
	return of.In, of.Out
}
