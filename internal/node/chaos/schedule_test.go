package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"weir/internal/ops/config"
	"weir/internal/testnet/seeded"
)

const (
	turmoil = 20 * time.Second // faults begin and end within it
	// reachTime is the T of "a live publisher is reachable by viewers at every node within T".
	reachTime = 7 * time.Second
	ttl       = 5 * time.Second
	// lingerTime is how long a pull outlives its last viewer.
	lingerTime = 3 * time.Second
)

// fault is one thing that goes wrong.
type fault struct {
	at, dur     time.Duration
	kind        string
	node, other int // -1: none
	share       float64
	skew        time.Duration
}

func (f fault) String() string {
	s := fmt.Sprintf("%6.2fs %s", f.at.Seconds(), f.kind)
	if f.node >= 0 {
		s += fmt.Sprintf(" n%d", f.node)
	}
	if f.other >= 0 {
		s += fmt.Sprintf("-n%d", f.other)
	}
	if f.skew != 0 {
		s += fmt.Sprintf(" by %v", f.skew)
	}
	if f.dur > 0 {
		s += fmt.Sprintf(" for %.2fs", f.dur.Seconds())
	}
	return s
}

// schedule is all that a seed decides.
type schedule struct {
	seed    uint64
	roles   [][]config.Role
	fronts  bool // clients come to fronts only
	streams int
	rival   bool // a second publisher of the first stream comes now and then
	faults  []fault
	// storeOnly says that all faults are the store's.
	storeOnly bool
	skews     []time.Duration // of the machines' clocks at first; nil: none
}

func (s *schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d nodes %v, clocks off by %v, %d streams, rival: %v\n", s.seed, len(s.roles), s.roles, s.skews, s.streams, s.rival)
	for _, f := range s.faults {
		fmt.Fprintf(&b, "\t%v\n", f)
	}
	return b.String()
}

var layouts = [][][]config.Role{
	{all, all, all},
	{{config.RoleOrigin, config.RoleEdge}, {config.RoleOrigin, config.RoleEdge}, {config.RoleOrigin, config.RoleEdge}},
	{{config.RoleFront}, {config.RoleOrigin}, {config.RoleOrigin}, {config.RoleEdge}},
}

var all = []config.Role{config.RoleFront, config.RoleOrigin, config.RoleEdge}

// newSchedule draws a schedule.
func newSchedule(seed uint64) *schedule {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &schedule{seed: seed, roles: layouts[r.IntN(len(layouts))], streams: 1, rival: r.IntN(4) == 0}
	s.fronts = len(s.roles) == 4
	kinds := []string{"kill", "kill", "leave", "cut", "cut", "deaf", "pause", "pause", "no store", "slow store", "flaky store", "store down", "store wiped"}
	for range 1 + r.IntN(5) {
		f := fault{kind: kinds[r.IntN(len(kinds))], node: r.IntN(len(s.roles)), other: -1, at: seeded.Between(r, 2*time.Second, turmoil-time.Second)}
		f.dur = seeded.Between(r, 50*time.Millisecond, 8*time.Second)
		switch f.kind {
		case "cut":
			f.other = (f.node + 1 + r.IntN(len(s.roles)-1)) % len(s.roles)
		case "store down":
			f.node = -1
		case "store wiped":
			f.node, f.dur = -1, 0
		case "flaky store":
			f.share = 0.1 + 0.7*r.Float64()
		}
		f.dur = min(f.dur, turmoil-f.at)
		f.at, f.dur = f.at.Truncate(time.Millisecond), f.dur.Truncate(time.Millisecond)
		s.faults = append(s.faults, f)
	}
	slices.SortStableFunc(s.faults, func(a, b fault) int { return int(a.at - b.at) })
	return s
}
