package event

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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
			log.Sink(SessionClosed{Phase: PhaseHandshake, Reason: ClientClosed})
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
