package interop_test

import (
	"net"
	"testing"
	"time"
)

// pollEvery is how often a condition is looked at. Much less would cost the
// programs under test the two cores they share with it.
const pollEvery = 25 * time.Millisecond

// patience is how long a test waits for what has to happen. It decides nothing: a shared machine may let nobody run
// for seconds.
const patience = time.Minute

// eventually waits until cond returns nil and fails the test, with cond's last
// error, if that takes longer than patience.
func eventually(t *testing.T, what string, cond func() error) {
	t.Helper()
	if err := poll(patience, cond); err != nil {
		t.Fatalf("%s: not within %v: %v", what, patience, err)
	}
}

func poll(within time.Duration, cond func() error) error {
	deadline := time.Now().Add(within)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := cond()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-tick.C
	}
}

// holds checks that cond stays nil for the whole of d.
func holds(t *testing.T, d time.Duration, what string, cond func() error) {
	t.Helper()
	deadline := time.Now().Add(d)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if err := cond(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		<-tick.C
	}
}

// accepts is the condition that somebody listens on addr.
func accepts(addr string) func() error {
	return func() error {
		nc, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		return nc.Close()
	}
}
