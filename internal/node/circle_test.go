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
	"weir/internal/proctest"
	"weir/rtmp"
)

// circle is two fronts of two clusters, each of which has the other among its servers; the second
// has more.
func circle(t *testing.T, check config.CheckKind, more ...config.Server) (a, b *running) {
	t.Helper()
	addr := [2]string{proctest.Addr(t), proctest.Addr(t)}
	for i, r := range []**running{&a, &b} {
		other := quickServer("other", addr[1-i], "", config.LoadNone, "")
		other.Check.Kind, other.Check.Timeout = &check, new(patience)
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
func (a *attack) refused(name string, args ...any) (code string) {
	a.t.Helper()
	c := a.connected()
	c.SetReadDeadline(time.Now().Add(patience))
	id, err := c.CreateStreamNow()
	if err != nil {
		a.t.Fatal(err)
	}
	err = a.ask(c, id, "none", name, args...)
	var no *rtmp.StatusError
	if !errors.As(err, &no) {
		a.t.Errorf("%s: %v, want a refusal", name, err)
		return ""
	}
	return no.Status.Code
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
		if code := x.refused(what, ask.args...); code != ask.want {
			t.Errorf("%s: %s, want %s", what, code, ask.want)
		}
		seen := func() int { return a.turn.of(event.HopLimit) + b.turn.of(event.HopLimit) - before }
		if !eventually(patience, func() bool { return seen() > 0 }) || seen() > 3 {
			t.Errorf("%s: %d sessions found themselves in a circle", what, seen())
		}
		x.leave()
	}
	if l, ok := a.log.wait(patience, func(l line) bool { return strings.Contains(l.attrs["err"], "has come back") }); !ok {
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
		l, ok := f.log.wait(patience, func(l line) bool { return l.msg == "backend is down" && l.attrs["on"] == "other" })
		early := f == a && strings.Contains(l.attrs["why"], "nothing listens there") // b had not started, and down it stayed
		if !ok || !early && !strings.Contains(l.attrs["why"], "circle") {
			t.Errorf("no log line says so: %v", l.attrs)
		}
	}
	publish(t, b.addr, "live/s", stamp.Shape{})
	x := newAttack(t, a)
	if code := x.refused("publish", "s", "live"); code != rtmp.CodePublishRejected {
		t.Errorf("refused with %s", code)
	}
	if n := a.turn.of(event.HopLimit) + b.turn.of(event.HopLimit); n > 0 {
		t.Errorf("%d sessions went round all the same", n)
	}
}
