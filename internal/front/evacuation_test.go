package front

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// lodger is a guest that takes as long to move as it is let, or no time at all.
type lodger struct {
	slow  bool
	asked atomic.Int32
}

func (l *lodger) evacuate(ctx context.Context, _ string, _ bool) {
	l.asked.Add(1)
	if l.slow {
		<-ctx.Done()
	}
}
func (l *lodger) publishes() bool { return l.slow }
func (l *lodger) waits() bool     { return l.slow }
func (l *lodger) stays(bool) bool { return false }

// Who is let go at once is asked each second, however many there are who cannot be moved.
func TestPromptGuestsDoNotWaitForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{})
		defer f.Close()
		prompt := new(lodger)
		f.guests["s"] = map[guest]bool{prompt: true}
		for range 2 * atOnce {
			f.guests["s"][&lodger{slow: true}] = true
		}
		f.Evacuate("s", false)
		time.Sleep(5500 * time.Millisecond)
		if n := prompt.asked.Load(); n != 6 {
			t.Errorf("asked %d times in 5.5 s, want 6", n)
		}
		f.Stay("s")
		synctest.Wait()
	})
}

// Who was sent to a server before it was removed leaves it too, and then nobody is waited for any more.
func TestAServerThatIsGoneIsLeftByWhoArrivesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{})
		defer f.Close()
		f.Gone("s", false)
		time.Sleep(moveTime - time.Second/2)
		late := new(lodger)
		f.settleAt(late, "", "s")
		time.Sleep(time.Second)
		if late.asked.Load() == 0 {
			t.Error("who arrived last was not asked to leave")
		}
		f.settleAt(late, "s", "")
		time.Sleep(arriveTime + 2*time.Second)
		synctest.Wait()
		if len(f.evacuations) != 0 {
			t.Error("it is still being left")
		}
	})
}
