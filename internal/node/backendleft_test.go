package node_test

import (
	"slices"
	"testing"

	"weir/internal/bench/stamp"
	"weir/internal/control/store"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/stream"
)

// Any front says what all have at a backend, so that a drain can be waited for.
func TestWhatIsLeftAtABackend(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	one, two := standalone(t, "one"), standalone(t, "two")
	front := func(name string) *running {
		cfg := quickConfig(name)
		cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
		cfg.Admin.Listen = "127.0.0.1:0"
		cfg.Front.Backends.Servers = []config.Server{quickServer("b1", one.addr, "", config.LoadNone, "")}
		if name == "front2" {
			cfg.Front.Backends.Servers = append(cfg.Front.Backends.Servers, quickServer("b2", two.addr, "", config.LoadNone, ""))
		}
		r, _ := startWith(t, inStore(m), cfg)
		return r
	}
	f1, f2 := front("front1"), front("front2")
	f1.sees(t, "front2")
	left := func(what string, so func(l *admin.Left) bool) {
		t.Helper()
		var b admin.Backend
		if !eventually(patience, func() bool {
			var err error
			if b, err = f1.api().Backend(t.Context(), "b1"); err != nil {
				t.Fatal(err)
			}
			return so(b.Left)
		}) {
			t.Errorf("not %s: %+v", what, b.Left)
		}
	}
	left("empty at first", func(l *admin.Left) bool { return l.Empty })
	if _, err := f2.api().OrderBackend(t.Context(), "b2", "drain"); err != nil {
		t.Fatal(err)
	}
	if r, _, err := f2.api().Route(t.Context(), admin.RouteQuery{Name: stream.Name{App: "live", Stream: "cam"}, Publish: true}); err != nil || r.Node != "b1" {
		t.Fatalf("%+v, %v", r, err)
	}
	publish(t, f2.addr, "live/cam", stamp.Shape{})
	left("one at front2", func(l *admin.Left) bool {
		return !l.Empty && l.Publishers == 1 && slices.Equal(l.Fronts, []string{"front2"})
	})
	if _, err := f1.api().OrderBackend(t.Context(), "b1", "drain"); err != nil {
		t.Fatal(err)
	}
	left("still there: nobody else takes it", func(l *admin.Left) bool { return !l.Empty && l.Publishers == 1 })
	if _, err := f2.api().OrderBackend(t.Context(), "b2", "ready"); err != nil {
		t.Fatal(err)
	}
	left("empty when it has moved", func(l *admin.Left) bool { return l.Empty && l.Publishers == 0 })
}
