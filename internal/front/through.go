package front

// How a session goes on behind this front, as operators are told.
const (
	throughCarried = "carried"
	throughSpliced = "spliced"
)

// Through is session.Publisher.
func (c *carried) Through() (how, server string) { return throughCarried, *c.server.Load() }

// Through is session.Publisher.
func (s *spliced) Through() (how, server string) { return throughSpliced, *s.c.server.Load() }

// Through is session.Player.
func (v *viewer) Through() (how, server string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return throughCarried, v.leg.backend.Node
}

// Through is session.Player.
func (w *wired) Through() (how, server string) { return throughSpliced, w.server }
