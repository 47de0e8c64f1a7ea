package chaos

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"weir/internal/testnet/seeded"
)

const (
	// lossMin is the least that a restored copy lacks: longer than two reports of an idle member are apart.
	lossMin = 5 * time.Second
	// skewMost is how wrong a node's clock may be.
	skewMost = time.Hour
)

// newHarderSchedule is newSchedule with wrong clocks, operators, and a store that comes back as an older copy. The
// seeds that are older than that keep what they found.
func newHarderSchedule(seed uint64) *schedule {
	s := newSchedule(seed)
	r := rand.New(rand.NewPCG(seed, 2))
	if r.IntN(6) == 0 {
		s.onlyStore(r)
	}
	for range s.roles {
		skew := time.Duration(0)
		if r.IntN(2) == 0 {
			skew = seeded.Between(r, -skewMost, skewMost)
		}
		s.skews = append(s.skews, skew)
	}
	for range r.IntN(3) {
		if s.storeOnly {
			break
		}
		f := fault{kind: []string{"drain", "drain", "skew"}[r.IntN(3)], node: r.IntN(len(s.roles)), other: -1, at: seeded.Between(r, 2*time.Second, turmoil-time.Second)}
		f.dur = seeded.Between(r, 50*time.Millisecond, 8*time.Second)
		if f.kind == "skew" {
			f.skew = seeded.Between(r, -skewMost, skewMost)
		}
		s.faults = append(s.faults, f)
	}
	if r.IntN(4) == 0 {
		at := seeded.Between(r, 2*time.Second+lossMin, turmoil-time.Second)
		copied := seeded.Between(r, 2*time.Second, at-lossMin+time.Millisecond)
		s.faults = append(s.faults, fault{kind: "store copied", node: -1, other: -1, at: copied},
			fault{kind: "store restored", node: -1, other: -1, at: at})
		if !s.storeOnly { // the copy has another claim, or none
			s.faults = append(s.faults, fault{kind: "hang up", node: -1, other: -1, at: seeded.Between(r, copied, at)})
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

// onlyStore makes it a schedule in which nothing happens but to the store, and a rival comes again and again: so
// no publisher on air is ended, nor loses its name.
func (s *schedule) onlyStore(r *rand.Rand) {
	s.storeOnly, s.rival = true, true
	s.faults = slices.DeleteFunc(s.faults, func(f fault) bool { return !strings.Contains(f.kind, "store") })
	for range 1 + r.IntN(2) {
		f := fault{kind: "no store", node: r.IntN(len(s.roles)), other: -1, at: seeded.Between(r, 3*time.Second, 8*time.Second)}
		f.dur = seeded.Between(r, ttl, 11*time.Second) // longer than the lease: its records go
		s.faults = append(s.faults, f)
	}
}
