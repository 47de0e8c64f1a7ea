package load

import (
	"math"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// Report is what one poll found.
type Report struct {
	Load place.Load
	// Streams that the backend has: somebody, or a pull of its own, brings them now.
	// Nil: it does not say; empty: none.
	Streams []stream.Name
	// LeftOut counts streams that no Weir stream can be called like, or that were too many.
	LeftOut int
}

// names collects the streams of a report, each once.
type names struct {
	list    []stream.Name
	seen    map[stream.Name]bool
	leftOut int
}

func newNames() *names { return &names{list: []stream.Name{}, seen: map[stream.Name]bool{}} }

func (n *names) add(name stream.Name, err error) {
	switch {
	case err != nil || len(n.list) >= maxStreams:
		n.leftOut++
	case !n.seen[name]:
		n.seen[name] = true
		n.list = append(n.list, name)
	}
}

// possible refuses a load that cannot be.
func possible(l *place.Load) error {
	for _, bps := range []float64{l.EgressBPS, l.IngressBPS} {
		if math.IsNaN(bps) || bps < 0 || bps > maxBPS {
			return &Fault{Word: Impossible, Text: "reports a bandwidth that cannot be"}
		}
	}
	if l.Sessions < 0 || l.Sessions > maxCount || l.Publishers < 0 || l.Publishers > maxCount {
		return &Fault{Word: Impossible, Text: "reports a number of sessions that cannot be"}
	}
	if math.IsNaN(l.CPU) || l.CPU < 0 {
		return &Fault{Word: Impossible, Text: "reports a processor load that cannot be"}
	}
	l.CPU = min(l.CPU, 1)
	return nil
}
