package relay

import "sync"

// Traffic sums what has gone over connections that this node has opened to servers, the open ones included. The zero
// value is ready; a nil one counts nothing.
type Traffic struct {
	reading sync.Mutex // one reads at a time, so that what each is told never falls
	scratch []Counted  // guarded by reading

	mu      sync.Mutex
	open    map[Counted]bool
	in, out int64 // of those that are over
}

// Counted is a connection that says how many bytes have come and gone; any goroutine, also when it is
// over. Neither ever falls.
type Counted interface {
	BytesIn() int64
	BytesOut() int64
}

// Opened counts c from now on, with all that it says.
func (t *Traffic) Opened(c Counted) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[Counted]bool)
	}
	t.open[c] = true
}

// Over keeps what c says now. Of one that is not counted it does nothing.
func (t *Traffic) Over(c Counted) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[c] {
		delete(t.open, c)
		t.in += c.BytesIn()
		t.out += c.BytesOut()
	}
}

// Bytes are what has come and gone. Neither ever falls. Who opens or ends a connection waits for a copy of the list
// at most, and not until each has been asked.
func (t *Traffic) Bytes() (in, out int64) {
	if t == nil {
		return 0, 0
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	t.mu.Lock()
	in, out = t.in, t.out
	for c := range t.open {
		t.scratch = append(t.scratch, c)
	}
	t.mu.Unlock()
	for _, c := range t.scratch { // one that is over by now is not in the sums above
		in += c.BytesIn()
		out += c.BytesOut()
	}
	clear(t.scratch)
	t.scratch = t.scratch[:0]
	return in, out
}
