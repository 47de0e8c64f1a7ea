package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/rtmp"
)

// patient is a node whose publishers may be silent for as long as a test takes.
func patient(cfg config.Config) config.Config {
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.Limits.FirstMedia, cfg.Limits.PublisherSilence = time.Minute, time.Minute
	return cfg
}

// sessionsOf waits until as many sessions of a node are listed.
func (r *running) sessionsOf(t *testing.T, node string, count int) []admin.Session {
	t.Helper()
	var list admin.SessionList
	if !eventually(patience, func() bool {
		var err error
		if list, _, err = r.api().Sessions(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		waits := func(s admin.Session) bool { return s.How == "" } // it may have been answered already
		return len(list.Sessions) == count && len(list.Missed) == 0 && !slices.ContainsFunc(list.Sessions, waits)
	}) {
		t.Fatalf("%d sessions of %q, want %d; %q did not answer", len(list.Sessions), node, count, list.Missed)
	}
	return list.Sessions
}

// ended reads to the end of a connection, and reports whether a status with the code came before.
func ended(t *testing.T, c *rtmp.ClientConn, code string) (told bool) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	for {
		ev, err := c.Next()
		if err != nil {
			if strings.Contains(err.Error(), "timeout") {
				t.Errorf("it goes on: %v", err)
			}
			return told
		}
		told = told || ev.Kind == rtmp.EventStatus && ev.Status.Code == code
	}
}

// An operator finds any client's session from any node, with how it is served, and ends it: it is told,
// closed, and its closing line says so.
func TestKick(t *testing.T) {
	joined := func(t *testing.T, front config.Config, endpoint string, roles ...config.Role) config.Config {
		cfg := patient(quickConfig("n2"))
		cfg.Node.Roles = roles
		cfg.Store.Kind, cfg.Store.Endpoints, cfg.Store.Secret = config.StoreEtcd, []string{endpoint}, front.Store.Secret
		return cfg
	}
	for how, set := range map[string]func(t *testing.T) (at, asked *running, backend string){
		"served": func(t *testing.T) (at, asked *running, backend string) {
			n := start(t, patient(quickConfig("n1")))
			return n, n, ""
		},
		"carried": func(t *testing.T) (at, asked *running, backend string) {
			cfg, endpoint := embedded(t, "n1", config.RoleFront)
			at = start(t, patient(cfg))
			asked = start(t, joined(t, cfg, endpoint, config.RoleOrigin, config.RoleEdge))
			at.sees(t, "n2")
			asked.sees(t, "n1")
			return at, asked, "n2"
		},
		"spliced": func(t *testing.T) (at, asked *running, backend string) {
			nginx := startNginxRTMP(t, "all")
			cfg, endpoint := embedded(t, "n1", config.RoleFront)
			cfg.Front.Publish, cfg.Front.Play = config.WaySplice, config.WaySplice
			cfg.Front.Backends.Servers = []config.Server{quickServer("ng", nginx.rtmp, "", config.LoadNone, "")}
			at = start(t, patient(cfg))
			asked = start(t, joined(t, cfg, endpoint, config.RoleFront))
			at.sees(t, "n2")
			asked.sees(t, "n1")
			return at, asked, "ng"
		},
	} {
		t.Run(how, func(t *testing.T) {
			at, asked, backend := set(t)
			a := newAttack(t, at)
			clients := map[string]*rtmp.ClientConn{}
			clients["publisher"] = a.publishing("cam")
			clients["viewer"] = a.playing("cam")
			list := asked.sessionsOf(t, "", 2)
			for _, s := range list {
				c := clients[s.Role]
				if c == nil || s.Node != "n1" || s.ID != admin.SessionID("n1", s.Conn) || s.App != "live" || s.Stream != "cam" || s.How != how ||
					s.Backend != backend || s.Remote != c.NetConn().LocalAddr().String() || s.BytesIn == 0 || time.Since(s.Since) > time.Minute {
					t.Errorf("%+v, want it %s at %q", s, how, backend)
				}
			}
			for _, role := range []string{"viewer", "publisher"} {
				for _, s := range list {
					if s.Role != role {
						continue
					}
					if done, err := asked.api().Kick(t.Context(), s.ID); err != nil || done.Session != s.ID {
						t.Fatalf("%+v %v", done, err)
					}
					code := map[string]string{"viewer": rtmp.CodePlayStop, "publisher": rtmp.CodePublishRejected}[role]
					// Nothing can be said between the bytes of another server.
					if told := ended(t, clients[role], code); told != (how != "spliced") {
						t.Errorf("the %s was told: %v", role, told)
					}
					clients[role].NetConn().Close()
					l, ok := at.log.wait(patience, func(l line) bool { return l.msg == "session closed" && l.attrs["remote"] == s.Remote })
					if !ok || l.attrs["reason"] != "kicked" || l.attrs["ended_by"] != "server" {
						t.Errorf("the closing line of the %s: %v", role, l.attrs)
					}
				}
			}
			asked.sessionsOf(t, "n1", 0)
			if _, err := asked.api().Kick(t.Context(), list[0].ID); err == nil || !strings.Contains(err.Error(), "no session "+list[0].ID) {
				t.Errorf("a session that is over: %v", err)
			}
			if _, err := asked.api().Kick(t.Context(), "nosuch/1"); err == nil || !strings.Contains(err.Error(), "no node nosuch") {
				t.Errorf("a node that is not there: %v", err)
			}
		})
	}
}

// A node's list is more than one answer between nodes can hold, and whole all the same; what one
// connection has besides is under its one number, and ends with it.
func TestManySessionsAreListed(t *testing.T) {
	const viewers = 150
	cfg, endpoint := embedded(t, "n1", config.RoleOrigin, config.RoleEdge)
	n := start(t, patient(cfg))
	other := patient(quickConfig("n2"))
	other.Node.Roles = []config.Role{config.RoleEdge}
	other.Store.Kind, other.Store.Endpoints, other.Store.Secret = config.StoreEtcd, []string{endpoint}, cfg.Store.Secret
	asked := start(t, other)
	asked.sees(t, "n1")
	a := newAttack(t, n)
	name := strings.Repeat("<", 100) // six bytes each in JSON
	a.publishing(name)
	for range viewers {
		a.playing(name)
	}
	both := a.playing(name)
	a.expect(both, rtmp.CodePlayStart, "play", name)
	list := asked.sessionsOf(t, "", viewers+3)
	ids := map[string]int{}
	for _, s := range list {
		ids[s.ID]++
		if s.Remote == both.NetConn().LocalAddr().String() && ids[s.ID] == 2 {
			if _, err := asked.api().Kick(t.Context(), s.ID); err != nil {
				t.Error(err)
			}
		}
	}
	if len(ids) != viewers+2 {
		t.Errorf("%d numbers, want %d", len(ids), viewers+2)
	}
	ended(t, both, "")
	both.NetConn().Close()
	asked.sessionsOf(t, "n1", viewers+1)
	asked.sessionsOf(t, "n2", 0)
}
