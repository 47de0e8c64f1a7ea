package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/ops/event"
)

// world is a network of backends, each well, dead or frozen, by address.
type world struct {
	mu     sync.Mutex
	mode   map[string]string
	dials  map[string][]time.Time
	now    int // dials and connections that are open
	most   int
	served sync.WaitGroup
}

func (w *world) set(addr, mode string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mode == nil {
		w.mode, w.dials = map[string]string{}, map[string][]time.Time{}
	}
	w.mode[addr] = mode
}

func (w *world) dial(ctx context.Context, addr string) (net.Conn, error) {
	w.mu.Lock()
	mode := w.mode[addr]
	w.dials[addr] = append(w.dials[addr], time.Now())
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	if mode == "dead" {
		w.ended()
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	w.served.Go(func() {
		if mode == "frozen" {
			_, _ = io.Copy(io.Discard, far)
			far.Close()
		} else {
			answer(far)
		}
	})
	return &counted{Conn: near, end: sync.OnceFunc(w.ended)}, nil
}

func (w *world) ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now--
}

// counted is a connection that is open until its dialler closes it.
type counted struct {
	net.Conn
	end func()
}

func (c *counted) Close() error {
	c.end()
	return c.Conn.Close()
}

func (w *world) dialled(addr string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials[addr]
}

// checked runs f with a checker of the backends in a bubble.
func checked(t *testing.T, f func(w *world, b *fleet.Backends, events *event.Recorder)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		w.set("", "")
		b := fleet.NewBackends(fleet.BackendOptions{})
		var r event.Recorder
		c := New(Options{Backends: b, Dial: w.dial, Emit: r.Sink})
		f(w, b, &r)
		c.Close()
		w.served.Wait()
	})
}

func health(b *fleet.Backends, name string) fleet.Health {
	s, _ := b.Get(name)
	return s.Health
}

// until waits for a state and returns how long that took.
func until(t *testing.T, b *fleet.Backends, name string, want fleet.HealthState) time.Duration {
	t.Helper()
	start := time.Now()
	for health(b, name).State != want {
		if time.Since(start) > time.Minute {
			t.Fatalf("%s is %+v, want %s", name, health(b, name), want)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
	return time.Since(start)
}

func edge(name string) fleet.Backend {
	return fleet.Backend{Name: name, RTMP: name + ":1935", Check: fleet.Check{Passive: true}}
}

func TestABackendLivesDiesAndComesBack(t *testing.T) {
	checked(t, func(w *world, b *fleet.Backends, events *event.Recorder) {
		w.set("a:1935", "well")
		b.Replace("static", []fleet.Backend{edge("a")})
		if d := until(t, b, "a", fleet.HealthUp); d > 200*time.Millisecond {
			t.Errorf("known after %v", d)
		}
		h := health(b, "a")
		if h.Status != "L7OK" || !strings.HasPrefix(h.Reason, "answers within") || h.Since.IsZero() {
			t.Errorf("%+v", h)
		}
		time.Sleep(time.Minute)
		if n := len(w.dialled("a:1935")); n < 28 || n > 33 {
			t.Errorf("%d checks in a minute, want one every 2 s", n)
		}
		w.set("a:1935", "frozen")
		if d := until(t, b, "a", fleet.HealthDown); d > 2*time.Second+3*time.Second+2*500*time.Millisecond {
			t.Errorf("frozen, and down after %v: more than an interval, three timeouts and two fast intervals", d)
		}
		if h := health(b, "a"); h.Status != "L7TOUT" || !strings.Contains(h.Reason, "frozen or overloaded") {
			t.Errorf("%+v", h)
		}
		since := health(b, "a").Since
		time.Sleep(10 * time.Second)
		if h := health(b, "a"); !h.Since.Equal(since) {
			t.Errorf("down since %v, then since %v", since, h.Since)
		}
		w.set("a:1935", "well")
		if d := until(t, b, "a", fleet.HealthUp); d > 2*time.Second+time.Second+500*time.Millisecond {
			t.Errorf("up after %v: more than an interval and a fast one", d)
		}
		w.set("a:1935", "dead")
		if d := until(t, b, "a", fleet.HealthDown); d > 2*time.Second+2*500*time.Millisecond+50*time.Millisecond {
			t.Errorf("dead, and down after %v", d)
		}
		var said []string
		for _, e := range events.Events() {
			if e, ok := e.(event.BackendHealth); ok {
				said = append(said, fmt.Sprint(e.Up, e.First))
			}
		}
		if got := strings.Join(said, ", "); got != "true true, false false, true false, false false" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestSessionsAccuseAndACheckConvictsAtOnce(t *testing.T) {
	checked(t, func(w *world, b *fleet.Backends, _ *event.Recorder) {
		w.set("a:1935", "well")
		b.Replace("static", []fleet.Backend{edge("a")})
		until(t, b, "a", fleet.HealthUp)
		time.Sleep(time.Minute)

		before := len(w.dialled("a:1935"))
		for range 1000 { // a client that breaks its sessions, at a server that is well
			b.Failed("a", errors.New("reset"))
			time.Sleep(5 * time.Millisecond)
		}
		if s, _ := b.Get("a"); s.Health.State != fleet.HealthUp {
			t.Errorf("a client took a server away: %+v", s.Health)
		}
		if n := len(w.dialled("a:1935")) - before; n > 55 {
			t.Errorf("%d checks in 5 s: failing sessions make a storm of them", n)
		}

		time.Sleep(time.Minute)
		b.Failed("a", errors.New("reset")) // the first of its sessions has it checked, which finds it still well
		synctest.Wait()
		w.set("a:1935", "dead")
		for range 9 { // and the rest come before the next check may
			b.Failed("a", errors.New("reset"))
		}
		if d := until(t, b, "a", fleet.HealthDown); d > soonGap+10*time.Millisecond {
			t.Errorf("down %v after its sessions died", d)
		}
		if r := health(b, "a").Reason; !strings.Contains(r, "connection refused") || !strings.Contains(r, "10 sessions failed there before") {
			t.Errorf("reason %q", r)
		}
	})
}

func TestMaintenanceIsNotChecked(t *testing.T) {
	checked(t, func(w *world, b *fleet.Backends, _ *event.Recorder) {
		w.set("a:1935", "dead")
		b.Replace("static", []fleet.Backend{edge("a")})
		until(t, b, "a", fleet.HealthDown)
		if err := b.SetOperator("a", fleet.Maint); err != nil {
			t.Fatal(err)
		}
		until(t, b, "a", fleet.HealthUnknown)
		n := len(w.dialled("a:1935"))
		time.Sleep(time.Minute)
		if got := len(w.dialled("a:1935")); got != n {
			t.Errorf("%d checks in maintenance", got-n)
		}
		w.set("a:1935", "well")
		if err := b.SetOperator("a", fleet.Ready); err != nil {
			t.Fatal(err)
		}
		until(t, b, "a", fleet.HealthUp)
		if err := b.SetOperator("a", fleet.Drain); err != nil {
			t.Fatal(err)
		}
		w.set("a:1935", "dead")
		until(t, b, "a", fleet.HealthDown) // drained is still checked: what it has matters
	})
}

func TestADescriptionThatChangesIsCheckedAtOnce(t *testing.T) {
	checked(t, func(w *world, b *fleet.Backends, _ *event.Recorder) {
		w.set("a:1935", "dead")
		w.set("b:1935", "well")
		b.Replace("static", []fleet.Backend{edge("a")})
		until(t, b, "a", fleet.HealthDown)
		moved := edge("a")
		moved.RTMP, moved.Check.Rise = "b:1935", 1
		b.Replace("static", []fleet.Backend{moved})
		if d := until(t, b, "a", fleet.HealthUp); d > 20*time.Millisecond {
			t.Errorf("up after %v", d)
		}
		moved.Check.Kind = fleet.CheckNone
		b.Replace("static", []fleet.Backend{moved})
		until(t, b, "a", fleet.HealthUnknown)
		b.Replace("static", nil)
		synctest.Wait()
		b.Replace("static", []fleet.Backend{edge("a")}) // another of that name
		until(t, b, "a", fleet.HealthDown)
	})
}

func TestAThousandBackendsAreSpreadAndBounded(t *testing.T) {
	checked(t, func(w *world, b *fleet.Backends, _ *event.Recorder) {
		const n = 1000
		var list []fleet.Backend
		for i := range n {
			d := edge(fmt.Sprint("e", i))
			d.Check.Kind, d.Check.Jitter = fleet.CheckTCP, 200*time.Millisecond
			w.set(d.RTMP, "well")
			list = append(list, d)
		}
		before := runtime.NumGoroutine()
		b.Replace("static", list)
		time.Sleep(150 * time.Millisecond)
		synctest.Wait()
		for _, s := range b.List() {
			if s.Health.State != fleet.HealthUp {
				t.Fatalf("%s: %+v after 150 ms", s.Name, s.Health)
			}
		}
		if got := runtime.NumGoroutine(); got > before+10 {
			t.Errorf("%d goroutines for idle backends", got-before)
		}
		time.Sleep(time.Minute)
		start := time.Now()
		time.Sleep(4 * time.Second)
		buckets := make([]int, 40) // of 100 ms
		total := 0
		w.mu.Lock()
		for _, at := range w.dials {
			for _, d := range at {
				if i := int(d.Sub(start) / (100 * time.Millisecond)); d.After(start) && i < len(buckets) {
					buckets[i]++
					total++
				}
			}
		}
		w.mu.Unlock()
		if total < 1800 || total > 2100 {
			t.Errorf("%d checks in 4 s, want one in 2 to 2.2 s each", total)
		}
		for i, k := range buckets {
			if k > 2*total/len(buckets) {
				t.Errorf("%d checks in the %dth tenth of a second, of %d in 4 s: they are not spread", k, i, total)
			}
		}

		for i := range n { // all freeze: no more than the limit at a time, and each is found out
			list[i].Check.Kind = fleet.CheckRTMP
			w.set(list[i].RTMP, "frozen")
		}
		w.mu.Lock()
		w.most = 0
		w.mu.Unlock()
		b.Replace("static", list)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		w.mu.Lock()
		most := w.most
		w.mu.Unlock()
		if most > maxChecks {
			t.Errorf("%d checks at a time", most)
		}
		down := 0
		for _, s := range b.List() {
			if s.Health.State == fleet.HealthDown {
				down++
			}
		}
		if down != n {
			t.Errorf("%d of %d frozen backends are down after 30 s", down, n)
		}
		b.Replace("static", nil)
		time.Sleep(2 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.now != 0 {
			t.Errorf("%d connections are left", w.now)
		}
	})
}
