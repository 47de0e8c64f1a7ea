package cluster

import (
	"fmt"
	"testing"
	"time"

	"weir/internal/stream"
)

func TestKeysKeepNamesApart(t *testing.T) {
	k := keys{DefaultPrefix}
	names := []stream.Name{{App: "a/b", Stream: "c"}, {App: "a", Stream: "b/c"}, {App: "a%2Fb", Stream: "c"}, {App: "a", Stream: "ключ x"}, {App: "..", Stream: "."}}
	seen := map[string]bool{}
	for _, n := range names {
		for _, key := range []string{k.stream(n), k.pull(n, "no/de")} {
			if seen[key] {
				t.Errorf("%q names two things", key)
			}
			seen[key] = true
			if p := k.parse(key); p.name != n {
				t.Errorf("%q → %+v", key, p)
			}
		}
		if p := k.parse(k.pull(n, "no/de")); p.node != "no/de" {
			t.Errorf("%+v", p)
		}
	}
	for _, bad := range []string{"", "/weir/1/", "/other", k.prefix + "nodes", k.prefix + "nodes/a/b", k.prefix + "streams/a", k.prefix + "streams/%zz/b", k.prefix + "later/x"} {
		if p := k.parse(bad); p.kind == "nodes" || p.kind == "streams" || p.name != (stream.Name{}) {
			t.Errorf("%q → %+v", bad, p)
		}
	}
}

func TestAbsentIsBounded(t *testing.T) {
	a, now := newAbsent(), time.Unix(0, 0)
	name := func(i int) stream.Name { return stream.Name{App: "live", Stream: fmt.Sprint(i)} }
	for i := range 3 * absentMax {
		if full := a.add(name(i), now); full != (i >= absentMax) {
			t.Fatalf("entry %d: full is %v", i, full)
		}
	}
	if len(a.at) != absentMax || a.order.Len() != absentMax {
		t.Fatalf("%d, %d entries", len(a.at), a.order.Len())
	}
	if a.has(name(0), now) || !a.has(name(3*absentMax-1), now) {
		t.Error("not the oldest made room")
	}
	later := now.Add(absentTTL)
	if a.has(name(3*absentMax-1), later) {
		t.Error("does not expire")
	}
	if a.add(name(0), later) || len(a.at) != 1 {
		t.Errorf("%d entries after all but one expired", len(a.at))
	}
}
