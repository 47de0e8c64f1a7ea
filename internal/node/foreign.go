package node

import (
	"context"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/front"
	"weir/internal/stream"
)

// frontRegistry is the cluster as the front sees it for streams at foreign servers.
type frontRegistry struct{ registry }

// Claim implements front.Registry: by the same rules as an origin's.
func (r frontRegistry) Claim(ctx context.Context, q front.ClaimRequest) (front.Claim, error) {
	c, err := r.claim(ctx, newcomer{name: q.Name, moved: q.Moved, here: r.n.silent,
		facts: cluster.Facts{Publisher: q.Session.Remote, Encoder: q.Encoder, Timeline: q.Timeline, Backend: q.Server}})
	if err != nil {
		return nil, err
	}
	return frontClaim{c}, nil
}

// At implements front.Registry.
func (r frontRegistry) At(name stream.Name) (front.At, bool) {
	rec, ok := r.c.Known(name)
	return front.At{Server: rec.Facts.Backend, Timeline: rec.Facts.Timeline, Epoch: rec.Epoch}, ok
}

// frontClaim is an ownership as the front sees it.
type frontClaim struct{ *claim }

func (c frontClaim) MovedTo(server string) {
	c.tell(func(f *cluster.Facts) { f.Backend = server })
}

// ledger is the registry of foreign servers as the front sees it.
type ledger struct {
	b       *fleet.Backends
	changed func() // what this front has at them
}

func (l ledger) Open(server string, publish bool) front.Entry {
	c := l.b.Counters(server)
	e := front.Entry{In: &c.In, Out: &c.Out}
	var end func()
	if publish {
		e.In, end = c.Publisher()
	} else {
		end = c.Open(false)
	}
	l.changed()
	e.End = func() {
		end()
		l.changed()
	}
	return e
}

func (l ledger) Failed(server string, err error) { l.b.Failed(server, err) }
func (l ledger) Succeeded(server string)         { l.b.Succeeded(server) }
func (l ledger) Moved(server string)             { l.b.Counters(server).Moved.Add(1) }

func (l ledger) Publishing(server string, name stream.Name) (ended func()) {
	return l.b.StreamStarted(server, name)
}

func (l ledger) Traits(server string) (shared, sameClock bool) {
	s, _ := l.b.Get(server)
	// nginx-rtmp sends what it is sent; others begin each viewer's or stream's clock
	// where they like.
	return s.Shared, s.Kind == fleet.KindNginx
}

// evacuations has the front leave the foreign servers that take no more, until it is closed.
func (n *node) evacuations() {
	changes := n.backends.Changes()
	defer changes.Close()
	const atOnce, gently = "at once", "gently"
	leaving := make(map[string]string)
	changes.Follow(n.front.Done(), func(c *fleet.Change) {
		name := c.Status.Name
		ordered := c.Status.Operator == fleet.Drain || c.Status.Operator == fleet.Maint
		// One in maintenance is not checked. One that is drained may die: its sessions cannot be
		// moved gently any more.
		down := c.Status.Operator != fleet.Maint && c.Status.Health.State == fleet.HealthDown
		how := gently
		if down {
			how = atOnce
		}
		switch {
		case c.What.Has(fleet.Removed):
			delete(leaving, name)
			n.front.Gone(name, !down)
		case ordered || down:
			if leaving[name] != how {
				leaving[name] = how
				n.front.Evacuate(name, !down)
			}
		case leaving[name] != "" || c.What.Has(fleet.Added): // or one of its name was gone
			delete(leaving, name)
			n.front.Stay(name)
		}
	})
}

// atForeign reports whether a viewer of a stream belongs to a foreign server, so that
// the front has to take it there.
func (n *node) atForeign(name stream.Name) bool {
	if n.backends.Len() == 0 {
		return false
	}
	if rec, ok := n.cluster.Known(name); ok {
		return rec.Facts.Backend != ""
	}
	return true // placement knows better where
}
