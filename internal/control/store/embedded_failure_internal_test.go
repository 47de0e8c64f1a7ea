package store

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Of a member that has failed nothing is waited for: a call is over as it begins, and who waits for its
// end waits a moment.
func TestNobodyWaitsForAMemberThatHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFailure(nil, "")
		s := &Etcd{failure: f, timeout: DefaultTimeout, done: make(chan struct{})}
		ctx, cancel := s.bound(t.Context())
		if ctx.Err() != nil {
			t.Error("a call is over before the member has failed")
		}
		cancel()
		f.fail(errors.New("disk full"))
		ctx, cancel = s.bound(t.Context())
		defer cancel()
		if ctx.Err() == nil {
			t.Error("a call has time")
		}
		began := time.Now()
		f.wait(make(chan struct{}))
		if waited := time.Since(began); waited != abandonAfter {
			t.Errorf("its end was waited for for %v", waited)
		}
	})
}
