package faults_test

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// row is a scenario of the bench.
type row struct {
	name string
	// run is what one takes, set-up included, as measured at full scale on two cores: what is left is
	// estimated by it until the row has been run.
	run time.Duration
	// alone: it loads the machine so much that no other is told beside it.
	alone bool
}

// rowOf looks a scenario up.
func rowOf(name string) (row, bool) {
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
	if i < 0 {
		return row{}, false
	}
	return rows[i], true
}

// rows are all scenarios.
var rows = []row{
	{"500 viewers join a cold edge within 1 s", 13 * time.Second, true},
	{"SIGSTOP of the owner past every timeout, another takes over, SIGCONT", 26 * time.Second, false},
	{"a second process under a running node's name", 15 * time.Second, false},
	{"bad way between front and origin", 35 * time.Second, false},
	{"bad way between origin and edge", 35 * time.Second, false},
	{"blackhole from a front to the origin", 20 * time.Second, false},
	{"blackhole from an edge to the origin", 16 * time.Second, false},
	{"blackhole from the origin to a front", 20 * time.Second, false},
	{"blackhole from the origin to an edge", 16 * time.Second, false},
	{"disk full under a member of the store", 60 * time.Second, false},
	{"drain of an origin with 50 publishers through fronts", 22 * time.Second, true},
	{"drain of an origin with publishers that announced reconnecting", 12 * time.Second, false},
	{"heartbeat beside busy pumps", 45 * time.Second, true},
	{"kill -9 of an edge with 500 viewers behind a front", 17 * time.Second, true},
	{"kill -9 of the owning origin, publisher direct", 14 * time.Second, false},
	{"kill -9 of the owning origin, publisher through a front", 14 * time.Second, false},
	{"origin restarts every 3 s × 20", 72 * time.Second, false},
	{"publish while the store is away", 16 * time.Second, false},
	{"publisher flaps every 2 s × 50", 6 * time.Second, true}, // all runs at once
	{"races of two publishers for one key on two origins", 60 * time.Second, true},
	{"rolling restart of all nodes, one at a time by drain", 40 * time.Second, false},
	{"silent partition between origin and edge", 16 * time.Second, false},
	{"silent partition of the origin from everybody", 18 * time.Second, false},
	{"store down for 60 s", 85 * time.Second, false},
	{"store frozen for 10 s", 32 * time.Second, false},
	{"store leader killed", 27 * time.Second, false},
	{"store restored from an old snapshot", 22 * time.Second, false},
	{"store wiped", 22 * time.Second, false},
}

// told are the rows that were asked for in this process; empty before the first.
var told = struct {
	sync.Mutex
	only map[string]bool
}{}

// chosen reports whether a row is part of this bench: with a pattern, those that have come up.
func chosen(row string) bool {
	told.Lock()
	defer told.Unlock()
	return told.only == nil || told.only[row]
}

// choose notes that a row has come up, if only some do.
func choose(t *testing.T, name string) row {
	r, ok := rowOf(name)
	if !ok {
		t.Fatalf("%q is not in the table of rows (row_test.go)", name)
	}
	told.Lock()
	defer told.Unlock()
	if *pattern {
		if told.only == nil {
			told.only = map[string]bool{}
		}
		told.only[name] = true
	}
	return r
}
