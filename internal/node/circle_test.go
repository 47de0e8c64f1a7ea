package node_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// circle is two fronts of two clusters, each of which has the other among its servers; the second
// has more.
func circle(t *testing.T, check config.CheckKind, more ...config.Server) (a, b *running) {
	t.Helper()
	addr := [2]string{freeAddr(t), freeAddr(t)}
	for i, r := range []**running{&a, &b} {
		other := quickServer("other", addr[1-i], "", config.LoadNone, "")
		other.Check.Kind = &check
		cfg := quickConfig("front" + string('a'+rune(i)))
		cfg.Node.Roles, cfg.RTMP.Listen, cfg.Admin.Listen = []config.Role{config.RoleFront}, addr[i], "127.0.0.1:0"
		cfg.Front.Play = config.WayAuto
		cfg.Front.Backends.Servers = []config.Server{other}
		if i == 1 {
			cfg.Front.Backends.Servers = append(cfg.Front.Backends.Servers, more...)
		}
		*r = start(t, cfg)
	}
	return a, b
}

// refused asks and returns the code of the refusal.
func (a *attack) refused(name string, args ...any) (code string, took time.Duration) {
	a.t.Helper()
	c := a.connected()
	c.SetReadDeadline(time.Now().Add(15 * time.Second))
	id, err := c.CreateStreamNow()
	if err != nil {
		a.t.Fatal(err)
	}
	began := time.Now()
	err = a.ask(c, id, "none", name, args...)
	var no *rtmp.StatusError
	if !errors.As(err, &no) {
		a.t.Errorf("%s: %v, want a refusal", name, err)
		return "", 0
	}
	return no.Status.Code, time.Since(began)
}

// Nobody checks the servers, so the sessions themselves find out, the spliced ones too.
func TestSessionsDoNotGoRoundBetweenFronts(t *testing.T) {
	a, b := circle(t, config.CheckNone)
	for what, ask := range map[string]struct {
		want string
		args []any
	}{
		"publish": {rtmp.CodePublishRejected, []any{"s", "live"}},
		"play":    {rtmp.CodePlayFailed, []any{"p"}},
	} {
		x := newAttack(t, a)
		before := a.turn.of(event.HopLimit) + b.turn.of(event.HopLimit)
		code, took := x.refused(what, ask.args...)
		if code != ask.want || took > 5*time.Second {
			t.Errorf("%s: %s after %v, want %s", what, code, took, ask.want)
		}
		seen := func() int { return a.turn.of(event.HopLimit) + b.turn.of(event.HopLimit) - before }
		if !eventually(3*time.Second, func() bool { return seen() > 0 }) || seen() > 3 {
			t.Errorf("%s: %d sessions found themselves in a circle", what, seen())
		}
		x.leave()
	}
	if l, ok := a.log.wait(3*time.Second, func(l line) bool { return strings.Contains(l.attrs["err"], "has come back") }); !ok {
		t.Error("no log line says so")
	} else if l.attrs["reason"] != string(event.HopLimit) {
		t.Errorf("%+v", l)
	}
}

// With a server that is none of the two, the session gets there.
func TestASessionLeavesTheCircleForAServer(t *testing.T) {
	behind := start(t, quickConfig("server"))
	s := quickServer("server", behind.addr, "", config.LoadNone, "")
	s.Weight = new(0.01) // the circle is tried first
	a, _ := circle(t, config.CheckNone, s)
	publish(t, a.addr, "live/s", stamp.Shape{})
	x := newAttack(t, a)
	x.next(x.playing("s"), 2)
}

// Checks find the circle before sessions do, and say what is wrong.
func TestChecksFindACircleOfFronts(t *testing.T) {
	behind := start(t, quickConfig("server"))
	a, b := circle(t, config.CheckRTMP, quickServer("server", behind.addr, "", config.LoadNone, ""))
	for _, f := range []*running{a, b} {
		got := f.becomes(t, "other", "down", func(b *admin.Backend) bool { return b.State == "down" && strings.Contains(b.Health.Reason, "circle") })
		if !strings.Contains(got.Health.Reason, "front.backends") {
			t.Errorf("%q", got.Health.Reason)
		}
		if _, ok := f.log.wait(3*time.Second, func(l line) bool { return l.msg == "backend is down" && strings.Contains(l.attrs["why"], "circle") }); !ok {
			t.Error("no log line says so")
		}
	}
	publish(t, b.addr, "live/s", stamp.Shape{})
	x := newAttack(t, a)
	if code, took := x.refused("publish", "s", "live"); code != rtmp.CodePublishRejected || took > time.Second {
		t.Errorf("%s after %v", code, took)
	}
}
