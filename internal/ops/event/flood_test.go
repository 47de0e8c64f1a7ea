package event

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weir/rtmp"
)

// P4: a flood of refusals is a few lines, and no refusal goes uncounted.
func TestP4AFloodOfRefusalsIsSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b text
		log := NewLog(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}})))
		lines := func() []string {
			synctest.Wait()
			return strings.Split(strings.TrimSpace(b.take()), "\n")
		}
		refuse := func(n int, r Reason) {
			for i := range n {
				log.Sink(Refused{Session: Session{Remote: fmt.Sprintf("192.0.2.9:%d", i)}, Reason: r})
			}
		}
		refuse(1000, TooManyOfOne)
		refuse(3, Busy) // another reason is not hidden by it
		if all := lines(); len(all) != refusedFirst+3 || all[0] != "msg=refused remote=192.0.2.9:0 reason=address-limit" {
			t.Errorf("%d lines, the first: %s", len(all), all[0])
		}
		time.Sleep(floodWindow + time.Millisecond)
		if all := lines(); len(all) != 1 || all[0] != "msg=refused remote=192.0.2.9:999 reason=address-limit count=990 dur=10s" {
			t.Errorf("%q", all)
		}
		refuse(500, TooManyOfOne) // it goes on: no first ones again
		time.Sleep(floodWindow)
		if all := lines(); len(all) != 1 || !strings.Contains(all[0], "count=500 ") {
			t.Errorf("%q", all)
		}
		time.Sleep(floodWindow) // over
		refuse(1, TooManyOfOne)
		if all := lines(); len(all) != 1 || strings.Contains(all[0], "count") {
			t.Errorf("%q", all)
		}
		refuse(100, TooManyOfOne)
		lines()
		log.Close() // what is counted is told
		if all := lines(); len(all) != 1 || !strings.Contains(all[0], "count=91 ") {
			t.Errorf("%q", all)
		}
		for range 10_000 { // viewers and publishers have a line each
			log.Sink(SessionClosed{Phase: PhaseMedia, Reason: ClientClosed})
			log.Sink(SessionClosed{Phase: PhaseHandshake, Reason: ClientClosed, BytesIn: 1})
		}
		if n := len(lines()); n != 20_000 { // closed: nobody is there to sum up
			t.Errorf("%d lines", n)
		}
	})
}

func TestStrangersCannotGrowTheFloodsMemory(t *testing.T) {
	log := NewLog(slog.New(slog.DiscardHandler))
	for i := range 10_000 {
		log.flood.passes(Refused{Reason: Reason(fmt.Sprint(i))})
		log.flood.passes(SessionClosed{Phase: PhaseHandshake, Reason: Reason(fmt.Sprint(i))})
	}
	if len(log.flood.of) != 2 {
		t.Errorf("%d entries", len(log.flood.of))
	}
	log.Close()
}

// text is written by timers too.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

// take returns what has been written since the last time.
func (t *text) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.b.Reset()
	return t.b.String()
}

// A server that dies with a thousand sessions is a line or two, and a thousand in the metrics.
func TestWhatSessionsSayOfAServerIsSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b text
		log := NewLog(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})))
		reg := prometheus.NewRegistry()
		count, err := NewMetrics(reg, "n")
		if err != nil {
			t.Fatal(err)
		}
		sink := Tee(log.Sink, count)
		lines := func() string {
			synctest.Wait()
			return strings.TrimSpace(b.take())
		}
		for range 2 { // the second time is as the first: it was over in between
			for i := range 1000 {
				s := Session{Conn: uint64(i + 1)}
				sink(BackendFailed{Session: s, Node: "e1", Phase: PhaseMedia, Reason: SourceLost})
				sink(BackendChanged{Session: s, From: "e1", To: fmt.Sprint("e", 2+i%3), Reason: SourceLost})
			}
			sink(BackendFailed{Node: "e2", Phase: PhasePlace, Reason: DialFailed}) // another server is not hidden by it
			want := "level=WARN msg=\"backend failed\" conn=1 on=e1 phase=media reason=source-lost\n" +
				"level=INFO msg=\"backend changed\" conn=1 from=e1 to=e2 reason=source-lost\n" +
				"level=WARN msg=\"backend failed\" on=e2 phase=place reason=dial-failed"
			if got := lines(); got != want {
				t.Errorf("at once:\n%s", got)
			}
			time.Sleep(backendWindow + time.Millisecond)
			got := strings.Split(lines(), "\n")
			slices.Sort(got)
			if !slices.Equal(got, []string{"level=INFO msg=\"backend changed\" from=e1 reason=source-lost count=999 dur=1s",
				"level=WARN msg=\"backend failed\" on=e1 reason=source-lost count=999 dur=1s"}) {
				t.Errorf("a second later: %q", got)
			}
			time.Sleep(2 * backendWindow)
		}
		got, err := testutil.GatherAndCount(reg, "weir_backend_failures_total")
		if err != nil || got != 2 {
			t.Errorf("%d series, %v", got, err)
		}
		families, _ := reg.Gather()
		for _, f := range families {
			if f.GetName() == "weir_backend_failures_total" {
				for _, m := range f.GetMetric() {
					if v := m.GetCounter().GetValue(); v != 2000 && v != 2 {
						t.Errorf("counted %v", v)
					}
				}
			}
		}
		for i := range 3 * backendsTold { // names may be many
			sink(BackendFailed{Node: fmt.Sprint("x", i), Reason: DialFailed})
		}
		if n := len(log.flood.of); n > backendsTold+1 {
			t.Errorf("%d servers are remembered", n)
		}
		log.Close()
	})
}

// Who looks whether somebody listens is no session to speak of; who began to talk is.
func TestConnectionsWithoutAByteAreNoNews(t *testing.T) {
	reg := prometheus.NewRegistry()
	count, err := NewMetrics(reg, "n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e     SessionClosed
		level slog.Level
	}{
		{SessionClosed{Phase: PhaseHandshake, Reason: Reason(rtmp.ReasonHandshakeEnded), EndedBy: ByServer}, slog.LevelDebug},
		{SessionClosed{Phase: PhaseHandshake, Reason: ClientGone, EndedBy: ByClient}, slog.LevelDebug}, // a reset
		{SessionClosed{Phase: PhaseHandshake, Reason: HandshakeTimeout}, slog.LevelInfo},
		{SessionClosed{Phase: PhaseHandshake, Reason: Reason(rtmp.ReasonHandshakeEnded), BytesIn: 1}, slog.LevelInfo},
		{SessionClosed{Phase: PhaseCommand, Reason: ClientClosed, BytesIn: 3300}, slog.LevelInfo},
		{SessionClosed{Phase: PhaseTLS, Reason: ClientClosed}, slog.LevelInfo},
	} {
		if level, _, _ := c.e.line(); level != c.level {
			t.Errorf("%+v at level %v", c.e, level)
		}
		count(c.e)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader("# HELP weir_sessions_empty_total Connections that their client ended before it had sent a byte: checks of load balancers.\n"+
		"# TYPE weir_sessions_empty_total counter\nweir_sessions_empty_total{node=\"n\"} 2\n"), "weir_sessions_empty_total"); err != nil {
		t.Error(err)
	}
}
