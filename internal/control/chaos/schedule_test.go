package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"weir/internal/testnet/seeded"
)

const (
	turmoil = 30 * time.Second // how long faults begin; all are over by then
	ttl     = 5 * time.Second
	// lossMin is the least that a restored copy lacks: longer than two reports of an idle member are
	// apart.
	lossMin = 5 * time.Second
	// registryTime is P2's: then the registry is the truth.
	registryTime = 10 * time.Second
)

// fault is one thing that goes wrong.
type fault struct {
	at, dur time.Duration
	kind    string
	node    int // whom; -1: the store itself
	share   float64
	skew    time.Duration
}

func (f fault) String() string {
	s := fmt.Sprintf("%6.2fs", f.at.Seconds())
	if f.node >= 0 {
		s += fmt.Sprintf(" n%d", f.node)
	}
	s += " " + f.kind
	if f.dur > 0 {
		s += fmt.Sprintf(" for %.2fs", f.dur.Seconds())
	}
	if f.share > 0 {
		s += fmt.Sprintf(" %.0f%%", 100*f.share)
	}
	if f.skew != 0 {
		s += fmt.Sprintf(" by %v", f.skew)
	}
	return s
}

// schedule is all that a seed decides.
type schedule struct {
	seed    uint64
	nodes   int
	streams int
	remains bool // nodes keep the highest incarnation over restarts
	forgets bool // the store is wiped or restored at some time
	faults  []fault
}

func (s *schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d nodes, %d streams, incarnation kept: %v\n", s.seed, s.nodes, s.streams, s.remains)
	for _, f := range s.faults {
		fmt.Fprintf(&b, "\t%v\n", f)
	}
	return b.String()
}

// newSchedule draws a schedule.
func newSchedule(seed uint64) *schedule {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &schedule{seed: seed, nodes: 2 + r.IntN(3), streams: 1 + r.IntN(2), remains: r.IntN(2) == 0}
	kinds := []string{"kill", "kill", "leave", "cut", "cut", "freeze", "flaky", "skew", "stop", "freeze all", "compact", "expire"}
	for range 2 + r.IntN(7) {
		f := fault{kind: kinds[r.IntN(len(kinds))], node: r.IntN(s.nodes), at: seeded.Between(r, 0, turmoil-time.Second)}
		f.dur = seeded.Between(r, 50*time.Millisecond, 12*time.Second)
		switch f.kind {
		case "stop", "freeze all":
			f.node = -1
		case "compact":
			f.node, f.dur = -1, 0
		case "expire":
			f.dur = 0
		case "flaky":
			f.share = 0.1 + 0.8*r.Float64()
		case "skew":
			f.skew, f.dur = seeded.Between(r, -time.Hour, time.Hour), 0
		}
		s.faults = append(s.faults, f)
	}
	if r.IntN(3) == 0 {
		s.forgets = true
		at := seeded.Between(r, 0, turmoil-time.Second)
		if r.IntN(2) == 0 {
			s.faults = append(s.faults, fault{kind: "wipe", node: -1, at: at})
		} else {
			// A loss that no member has written in is not noticed.
			at = max(at, 2*lossMin)
			s.faults = append(s.faults, fault{kind: "copy", node: -1, at: seeded.Between(r, 0, at-lossMin)}, fault{kind: "restore", node: -1, at: at})
		}
	}
	for i := range s.faults {
		f := &s.faults[i]
		f.dur = min(f.dur, turmoil-f.at)
		f.at, f.dur = f.at.Truncate(time.Millisecond), f.dur.Truncate(time.Millisecond)
	}
	slices.SortStableFunc(s.faults, func(a, b fault) int { return int(a.at - b.at) })
	return s
}
