package bench

import (
	"math/rand/v2"
	"time"
)

// wheelTick is the wheel's resolution. Why not smaller: each turn is a wake-up. Why not
// larger: the sockets of a turn are visited in one go, while the server waits for the core.
const wheelTick = 5 * time.Millisecond

// wheelSlots is a turn longer than the longest wait.
const wheelSlots = int(lazyMax/wheelTick) + 1

// wheel says which lazy sockets are visited when. The zero value is ready.
type wheel struct {
	slots [wheelSlots][]*drain
	at    int       // slot of the last turn
	last  time.Time // of it
	due   []*drain  // returned by turn; kept for its memory
}

// add puts v on the wheel for a random time from now, uniform in lazyMin to lazyMax.
func (w *wheel) add(v *drain) {
	wait := lazyMin + rand.N(lazyMax-lazyMin)
	i := (w.at + max(int(wait/wheelTick), 1)) % wheelSlots
	w.slots[i] = append(w.slots[i], v)
}

// turn returns the drains that are due at now, all slots that were passed over
// since the last turn. Valid until the next turn.
func (w *wheel) turn(now time.Time) []*drain {
	steps := 1
	if !w.last.IsZero() {
		steps = min(max(int(now.Sub(w.last).Round(wheelTick)/wheelTick), 1), wheelSlots)
	}
	w.last = now
	w.due = w.due[:0]
	for range steps {
		w.at = (w.at + 1) % wheelSlots
		w.due = append(w.due, w.slots[w.at]...)
		w.slots[w.at] = w.slots[w.at][:0]
	}
	return w.due
}
