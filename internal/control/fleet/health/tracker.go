package health

import (
	"fmt"
	"time"

	"weir/internal/control/fleet"
)

// tracker is the state of one backend: outcomes in, state out. It has no clock and no lock.
//
// Invariants: 0 ≤ good < rise and 0 ≤ bad < fall, but while the state is unknown both are 0.
type tracker struct {
	rise, fall int

	state   fleet.HealthState
	good    int    // in a row, while down
	bad     int    // in a row, while up: checks, and sessions that accuse
	accused int    // of bad, those that are sessions
	last    string // what the last failure said
}

// check takes the outcome of a check, nil if it was good, and reports whether the state
// has changed. One that began before a session failed does not speak against that session.
func (t *tracker) check(f *Failure, before bool) bool {
	was := t.state
	switch {
	case f == nil && t.state == fleet.HealthUp && before:
	case f == nil && t.state == fleet.HealthUp:
		t.bad, t.accused = 0, 0
	case f == nil:
		if t.good++; t.state == fleet.HealthUnknown || t.good >= t.rise {
			t.become(fleet.HealthUp)
		}
	default:
		t.last = f.Reason
		t.good = 0
		if t.state == fleet.HealthDown {
			break
		}
		if t.bad++; t.state == fleet.HealthUnknown || t.bad >= t.fall {
			t.become(fleet.HealthDown)
		}
	}
	return t.state != was
}

func (t *tracker) become(s fleet.HealthState) {
	t.state, t.good, t.bad = s, 0, 0
	if s == fleet.HealthUp {
		t.accused = 0
	}
}

// accuse takes a session's failure and reports whether a check should look at once.
// The last failure that makes a backend down is always a check's.
func (t *tracker) accuse() bool {
	if t.state == fleet.HealthDown {
		return false
	}
	t.accused++
	if t.state == fleet.HealthUp {
		t.bad = min(t.bad+1, t.fall-1)
	}
	return true
}

// clear takes a session that came about: what sessions said before is forgotten. It
// does not speak for checks.
func (t *tracker) clear() {
	if t.state == fleet.HealthUp {
		t.bad = max(0, t.bad-t.accused)
		t.accused = 0
	}
}

// moving reports whether the backend is on its way to the other state.
func (t *tracker) moving() bool { return t.good > 0 || t.bad > 0 }

// reason says the state in words; f is the last check's failure, nil if it was good.
func (t *tracker) reason(f *Failure, took time.Duration) string {
	switch {
	case t.state == fleet.HealthDown && f == nil:
		return fmt.Sprintf("%d of %d good checks after: %s", t.good, t.rise, t.last)
	case t.state == fleet.HealthDown && t.accused > 0:
		return fmt.Sprintf("%s; %s failed there before", f.Reason, sessions(t.accused))
	case t.state == fleet.HealthDown:
		return f.Reason
	case f != nil:
		return fmt.Sprintf("%d of %d failures: %s", t.bad, t.fall, f.Reason)
	}
	return "answers within " + took.Round(100*time.Microsecond).String()
}

func sessions(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}
