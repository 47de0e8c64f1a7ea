package health

import (
	"strings"
	"testing"
	"time"

	"weir/internal/control/fleet"
)

// TestTracker feeds outcomes: g a good check, b a bad one, s a session that failed, o one that
// came about, G a good check that began before the last of these; and reads the state after each: - unknown, U up, D down; lower case while on its way.
func TestTracker(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"the first check decides: up", "g", "U"},
		{"the first check decides: down", "b", "D"},
		{"sessions decide nothing before it", "sssssb", "-----D"},
		{"three in a row", "gbbb", "UuuD"},
		{"a good one between", "gbbgbbgbbb", "UuuUuuUuuD"},
		{"back after two", "bgg", "DdU"},
		{"two in a row", "bgbgbgg", "DdDdDdU"},
		{"sessions accuse, checks convict", "gssssssb", "UuuuuuuD"},
		{"sessions cannot convict", "gsssgsssg", "UuuuUuuuU"},
		{"a session accuses, two checks convict", "gsbb", "UuuD"},
		{"a check cannot speak of what came after it", "gsGsGb", "UuuuuD"},
		{"a session that works takes it back", "gssobbb", "UuuUuuD"},
		{"but not what checks have found", "gbbob", "UuuuD"},
		{"nothing is held against one that comes back", "gssbggbbb", "UuuDdUuuD"},
		{"sessions at one that is down", "bsg", "DDd"},
	} {
		tr := tracker{rise: 2, fall: 3}
		var got strings.Builder
		for _, in := range tc.in {
			switch in {
			case 'g':
				tr.check(nil, false)
			case 'G':
				tr.check(nil, true)
			case 'b':
				tr.check(&Failure{Reason: "no"}, false)
			case 's':
				tr.accuse()
			case 'o':
				tr.clear()
			}
			s := map[fleet.HealthState]string{fleet.HealthUnknown: "-", fleet.HealthUp: "U", fleet.HealthDown: "D"}[tr.state]
			if tr.moving() {
				s = strings.ToLower(s)
			}
			got.WriteString(s)
			if tr.good < 0 || tr.good >= tr.rise || tr.bad < 0 || tr.bad >= tr.fall {
				t.Errorf("%s: %d good, %d bad after %q", tc.name, tr.good, tr.bad, got.String())
			}
		}
		if got.String() != tc.want {
			t.Errorf("%s: %s gives %s, want %s", tc.name, tc.in, got.String(), tc.want)
		}
	}
}

func TestReasonsAreForAnOperator(t *testing.T) {
	tr := tracker{rise: 2, fall: 3}
	no := &Failure{Reason: "edge1:1935: connection refused, nothing listens there"}
	for _, step := range []struct {
		do   func()
		f    *Failure
		want string
	}{
		{func() { tr.check(nil, false) }, nil, "answers within 1.2ms"},
		{func() { tr.check(no, false) }, no, "1 of 3 failures: edge1:1935: connection refused, nothing listens there"},
		{func() { tr.accuse(); tr.accuse(); tr.check(no, false) }, no, "edge1:1935: connection refused, nothing listens there; 2 sessions failed there before"},
		{func() { tr.check(nil, false) }, nil, "1 of 2 good checks after: edge1:1935: connection refused, nothing listens there"},
		{func() { tr.check(nil, false) }, nil, "answers within 1.2ms"},
	} {
		step.do()
		if got := tr.reason(step.f, 1200*time.Microsecond); got != step.want {
			t.Errorf("got  %q\nwant %q", got, step.want)
		}
	}
}
