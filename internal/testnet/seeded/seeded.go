// Package seeded runs simulations from seeds. A simulation is a function of a seed, which
// decides its schedule; the order in which goroutines run is not the seed's, so one that has
// failed is run several times. For tests only: it registers the flags -seed and
// -schedules.
package seeded

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	firstSeed = flag.Uint64("seed", 1, "first `seed` to run")
	schedules = flag.Int("schedules", 1000, "`number` of seeds to run, from -seed on")
)

// Regressions runs each seed of a list n times. The list has a seed a line, with what it has found
// behind a #.
func Regressions(t *testing.T, list []byte, n int, run func(t *testing.T, seed uint64)) {
	for line := range bytes.Lines(list) {
		text, _, _ := strings.Cut(string(line), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("list of seeds: %v", err)
		}
		for range n {
			t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
				t.Parallel()
				run(t, seed)
			})
		}
	}
}

// Schedules runs -schedules seeds from -seed on, and says of one that fails how to run it again
// in pkg, the path of the test's package.
func Schedules(t *testing.T, pkg string, run func(t *testing.T, seed uint64)) {
	name := t.Name()
	var next atomic.Uint64
	next.Store(*firstSeed)
	end := *firstSeed + uint64(*schedules)
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker=", worker), func(t *testing.T) {
			t.Parallel()
			for seed := next.Add(1) - 1; seed < end; seed = next.Add(1) - 1 {
				if !t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { run(t, seed) }) {
					t.Logf("again: go test %s -run '%s$' -seed %d -schedules 1 -count 20", pkg, name, seed)
				}
			}
		})
	}
}

// Between draws a duration from lo to less than hi.
func Between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}
