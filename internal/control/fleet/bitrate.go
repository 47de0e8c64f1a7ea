package fleet

import (
	"cmp"
	"slices"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
	"weir/internal/stream"
)

// predict is what a publisher will send, in bits per second, which nobody knows before it does: what the
// stream sends as long as it is known, what it sent when it was there before, or else what publishers
// send on average now. It needs f.mu.
func (f *Fleet) predict(q *question) float64 {
	return cmp.Or(q.bitrate, f.sent.of(q.name), f.traffic.mean())
}

// Ended hears of a stream of the cluster that has ended. Its publisher, if it returns, goes back to where it was; what it
// sent is remembered, unless it was too short to be measured.
func (f *Fleet) Ended(r cluster.StreamRecord) {
	f.Left(r.Name, cmp.Or(r.Facts.Backend, r.Owner))
	if r.Facts.BitrateBPS > 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sent.put(r.Name, r.Facts.BitrateBPS)
	}
}

// sent remembers bitrates of streams, and forgets the one that it has known longest beyond sentSize.
type sent struct {
	bps   map[stream.Name]float64
	queue []stream.Name
}

func (s *sent) put(name stream.Name, bps float64) {
	if s.bps == nil {
		s.bps = map[stream.Name]float64{}
	}
	if _, ok := s.bps[name]; !ok {
		if len(s.queue) >= sentSize {
			delete(s.bps, s.queue[0])
			s.queue = s.queue[1:]
		}
		s.queue = append(s.queue, name)
	}
	s.bps[name] = bps
}

func (s *sent) of(name stream.Name) float64 { return s.bps[name] }

// traffic sums what publishers send.
type traffic struct{ bps, publishers float64 }

// mean is that of a publisher. The default counts as one more: the fewer there are, the less they say.
func (t *traffic) mean() float64 {
	return (t.bps + place.DefaultBitrateBPS) / (t.publishers + 1)
}

// node adds a node whose ingress is nothing but publishers: no pulls, and no sessions of others.
func (t *traffic) node(n *cluster.Node) {
	if n.Load.IngressBPS > 0 && n.Load.Pulls == 0 && n.HasRole("origin") && !slices.Contains(n.Roles, "front") {
		t.bps += n.Load.IngressBPS
		t.publishers += float64(n.Load.Publishers)
	}
}

// backend adds one with what it is counted with. Of the own publishers those count that are in its rate: who has
// just come has sent nothing yet.
func (t *traffic) backend(x *backend, l *place.Load) {
	if l.IngressBPS > 0 {
		_, flowing, _ := x.Counters.publishing()
		t.bps += l.IngressBPS
		t.publishers += float64(flowing + max(l.Publishers-x.own().Publishers, 0))
	}
}
