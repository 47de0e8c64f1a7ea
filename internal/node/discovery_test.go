package node_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/proctest"
	"weir/internal/stream"
)

// standalone is a server that knows nothing of a cluster, so to others it is a backend.
func standalone(t *testing.T, name string) *running {
	t.Helper()
	return start(t, quickConfig(name))
}

// A front over a file and registrations: servers come and go while sessions run on, publishers return to the
// server they had, and every decision can be asked for afterwards.
func TestAFrontLearnsOfServersAndLosesNobody(t *testing.T) {
	one, two := standalone(t, "one"), standalone(t, "two")
	list := filepath.Join(t.TempDir(), "servers.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list+"~", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(list+"~", list); err != nil {
			t.Fatal(err)
		}
	}
	server := func(name, addr string) string { return fmt.Sprintf("  - {name: %s, rtmp: %q}\n", name, addr) }
	write("servers:\n" + server("b1", one.addr))

	cfg := quickConfig("front")
	cfg.Node.Roles = []config.Role{config.RoleFront}
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.Front.Backends = config.Backends{File: []string{list}, SRS: config.SRSBackends{Listen: "127.0.0.1:0"}}
	cfg.Place.Sticky = time.Minute
	f := start(t, cfg)
	there := func(name string, want bool) {
		t.Helper()
		if !eventually(patience, func() bool {
			all, _, err := f.api().Backends(t.Context())
			l := all.Backends
			return err == nil && want == slices.ContainsFunc(l, func(b admin.Backend) bool { return b.Name == name })
		}) {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	there("b1", true)
	c := sing(t, f, f) // it publishes to b1, the only one

	// Another comes by registering itself, as SRS would.
	ip, port, _ := strings.Cut(two.addr, ":")
	body := fmt.Sprintf(`{"ip": %q, "server": "s", "service": "x", "pid": "1", "rtmp": [%q]}`, ip, port)
	resp, err := http.Post("http://"+f.listening("srs registration")+"/api/v1/srs/register", "application/json", strings.NewReader(body))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	publishing := func(name string) (a *attack, where string) {
		t.Helper()
		a = newAttack(t, f)
		a.publishing(name)
		var list []admin.Decision
		if !eventually(patience, func() bool {
			var err error
			if list, _, err = f.api().Decisions(t.Context(), admin.DecisionQuery{App: "live", Name: name, Action: "publish", Outcome: "ok", Limit: 1}); err != nil {
				t.Fatal(err)
			}
			return len(list) == 1
		}) {
			t.Fatalf("no decision about %s is remembered", name)
		}
		return a, list[0].Node + ": " + list[0].Reason
	}
	a, where := publishing("second")
	if !strings.HasPrefix(where, "s-x-1: ") {
		t.Errorf("the second publisher went to %s", where)
	}
	// A list that is none changes nothing; one without b1 moves nobody that it does not have to.
	write("servers: [b1")
	if _, ok := f.log.wait(patience, func(l line) bool { return l.msg == "discovery failed" && strings.HasPrefix(l.attrs["from"], "file:") }); !ok {
		t.Error("nobody hears that the list is none")
	}
	f.backend(t, "b1")
	write("servers:\n" + server("b1", one.addr) + server("b3", proctest.Addr(t)))
	there("b3", true)
	write("servers:\n" + server("b1", one.addr))
	there("b3", false)
	write("servers:\n" + server("b1", one.addr) + server("b3", proctest.Addr(t)))
	there("b3", true) // again: nobody is to be sent away from it
	// Back within the grace, it goes where it was, although another has less.
	a.leave()
	a.close()
	if !eventually(patience, func() bool { return f.backend(t, "s-x-1").Sessions.Publishers == 0 }) {
		t.Error("its publisher stays")
	}
	// The count may be there before the registry has told who had the stream.
	if !eventually(patience, func() bool {
		r, _, err := f.api().Route(t.Context(), admin.RouteQuery{Name: stream.Name{App: "live", Stream: "second"}, Publish: true})
		return err == nil && strings.Contains(r.Reason, "had the stream a moment ago")
	}) {
		t.Error("nobody remembers where it was")
	}
	third, where := publishing("third") // of two, the one without a publisher
	if !strings.HasPrefix(where, "s-x-1: ") {
		t.Errorf("the third publisher went to %s", where)
	}
	a, where = publishing("second")
	if !strings.HasPrefix(where, "s-x-1: ") || !strings.Contains(where, "had the stream a moment ago") {
		t.Errorf("it came back to %s", where)
	}
	for _, a := range []*attack{a, third} {
		a.leave()
		a.close()
	}
	for i := range c.viewers {
		if r := c.viewers[i].Report(); r.Faults() != "" || r.Video == 0 {
			t.Errorf("the first stream's viewer %d: %d pictures, %s", i, r.Video, r.Faults())
		}
	}
	if l, moved := f.log.wait(0, func(l line) bool { return l.msg == "backend changed" }); moved {
		t.Errorf("a session was moved: %v", l.attrs)
	}
}
