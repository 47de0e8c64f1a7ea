package testnet

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"
)

// half is one direction of a link: a queue of segments with the time at which
// each arrives.
//
// Invariants: queued = Σ len(queue[i].data) ≤ window; queue[i].at never decreases.
type half struct {
	f    Faults
	rand *rand.Rand
	trip func() // resets the whole link; called without mu

	mu      sync.Mutex
	cond    sync.Cond
	queue   []segment
	queued  int
	last    time.Time // arrival of the newest segment
	sent    int64     // bytes accepted so far
	fin     bool      // the writer has closed
	gone    bool      // the reader has closed
	err     error     // the link was reset
	stalled bool      // nothing arrives
	readBy  time.Time
	writeBy time.Time

	// Offsets in the direction's bytes; negative = never.
	corruptAt, resetAt int64
}

type segment struct {
	at   time.Time
	data []byte
}

func newHalf(f Faults, seed uint64, trip func()) *half {
	h := &half{f: f, rand: rand.New(rand.NewPCG(f.Seed, seed)), trip: trip, corruptAt: -1, resetAt: -1}
	h.cond.L = &h.mu
	return h
}

// wait waits for a change, or until a time if that is not zero. mu is held.
func (h *half) wait(until time.Time) {
	if !until.IsZero() {
		t := time.AfterFunc(time.Until(until), func() { h.change(func() {}) })
		defer t.Stop()
	}
	h.cond.Wait()
}

// change runs f under the lock and wakes both sides.
func (h *half) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.cond.Broadcast()
}

func (h *half) Write(p []byte) (n int, err error) {
	n, tripped, err := h.write(p)
	if tripped {
		h.trip()
		return n, syscall.ECONNRESET
	}
	return n, err
}

func (h *half) write(p []byte) (n int, tripped bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n < len(p) {
		switch room := h.f.window() - h.queued; {
		case h.err != nil:
			return n, false, h.err
		case h.fin:
			return n, false, os.ErrClosed
		case expired(h.writeBy):
			return n, false, os.ErrDeadlineExceeded
		case h.gone && !h.stalled:
			return n, false, syscall.EPIPE
		case h.resetAt >= 0 && h.sent >= h.resetAt:
			return n, true, nil
		case room <= 0:
			h.wait(h.writeBy)
		default:
			n += h.push(p[n:min(len(p), n+room)])
		}
	}
	return n, false, nil
}

// push queues the beginning of p as one segment. mu is held.
func (h *half) push(p []byte) int {
	if h.f.Piece > 0 {
		p = p[:min(len(p), h.f.Piece)]
	}
	if left := h.resetAt - h.sent; h.resetAt >= 0 && int64(len(p)) > left {
		p = p[:left]
	}
	data := bytes.Clone(p)
	if i := h.corruptAt - h.sent; h.corruptAt >= 0 && i >= 0 && i < int64(len(p)) {
		data[i] ^= 0xff
	}
	h.last = h.f.due(time.Now(), h.last, len(p), h.rand)
	h.queue = append(h.queue, segment{h.last, data})
	h.queued += len(p)
	h.sent += int64(len(p))
	h.cond.Broadcast()
	return len(p)
}

func (h *half) Read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		now := time.Now()
		until := h.readBy
		switch {
		case h.gone:
			return 0, os.ErrClosed
		case h.err != nil:
			return 0, h.err
		case expired(h.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case h.stalled:
		case len(h.queue) == 0 && h.fin:
			return 0, io.EOF
		case len(h.queue) > 0 && !h.queue[0].at.After(now):
			return h.pull(p, now), nil
		case len(h.queue) > 0 && (until.IsZero() || h.queue[0].at.Before(until)):
			until = h.queue[0].at
		}
		h.wait(until)
	}
}

// pull takes what has arrived. With Faults.Piece it takes one segment. mu is held.
func (h *half) pull(p []byte, now time.Time) (n int) {
	for n < len(p) && len(h.queue) > 0 && !h.queue[0].at.After(now) {
		s := &h.queue[0]
		k := copy(p[n:], s.data)
		n += k
		if s.data = s.data[k:]; len(s.data) == 0 {
			h.queue = h.queue[1:]
		}
		if h.f.Piece > 0 {
			break
		}
	}
	h.queued -= n
	h.cond.Broadcast()
	return n
}

// closeRead is the reader's close; unread reports whether it left bytes, for which
// TCP resets the connection.
func (h *half) closeRead() (unread bool) {
	h.change(func() {
		unread = h.queued > 0 && !h.stalled
		h.gone = true
		h.queue, h.queued = nil, 0
	})
	return unread
}

func expired(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }
