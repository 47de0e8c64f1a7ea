package testnet

import "syscall"

// Link is one connection, as the test sees it: Up leads from who dialled to who
// listened, Down back.
type Link struct {
	up, down *half
}

// Direction is one of a link's two.
type Direction bool

// The directions.
const (
	Up   Direction = true
	Down Direction = false
)

func newLink(f Faults, number uint64) *Link {
	l := &Link{}
	l.up = newHalf(f, 2*number, l.Reset)
	l.down = newHalf(f, 2*number+1, l.Reset)
	return l
}

func (l *Link) half(d Direction) *half {
	if d == Up {
		return l.up
	}
	return l.down
}

// Stall keeps what is written in one direction from arriving, until Resume.
func (l *Link) Stall(d Direction) { h := l.half(d); h.change(func() { h.stalled = true }) }

// Resume ends a stall.
func (l *Link) Resume(d Direction) { h := l.half(d); h.change(func() { h.stalled = false }) }

// Cut makes both ends half-open: nothing arrives any more, no byte and no
// goodbye, and nobody is told.
func (l *Link) Cut() {
	l.Stall(Up)
	l.Stall(Down)
}

// Reset breaks the connection at once: reads and writes at both ends fail with
// ECONNRESET.
func (l *Link) Reset() {
	for _, h := range []*half{l.up, l.down} {
		h.change(func() {
			if h.err == nil {
				h.err = syscall.ECONNRESET
			}
		})
	}
}

// ResetAt breaks the connection once so many bytes have been written in a
// direction, counted from its beginning: in mid-message, if the test says so.
func (l *Link) ResetAt(d Direction, offset int64) {
	h := l.half(d)
	h.change(func() { h.resetAt = offset })
}

// CorruptAt inverts one byte of a direction, if it is still to be written.
func (l *Link) CorruptAt(d Direction, offset int64) {
	h := l.half(d)
	h.change(func() { h.corruptAt = offset })
}

// Sent is how many bytes have been written in a direction.
func (l *Link) Sent(d Direction) int64 {
	h := l.half(d)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}
