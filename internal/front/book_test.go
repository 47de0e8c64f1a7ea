package front_test

import (
	"maps"
	"sync"
	"sync/atomic"
	"testing"

	"weir/internal/front"
	"weir/internal/stream"
)

// book is a Ledger that can be looked into.
type book struct {
	mu             sync.Mutex
	open           map[string]int // sessions now, by server
	publishing     map[string]int // streams now, by server
	in, out        map[string]*atomic.Int64
	failed, worked map[string]int
	moved          map[string]int
	same           bool
}

func newBook() *book {
	return &book{open: map[string]int{}, publishing: map[string]int{}, in: map[string]*atomic.Int64{}, out: map[string]*atomic.Int64{},
		failed: map[string]int{}, worked: map[string]int{}, moved: map[string]int{}}
}

func (b *book) Open(server string, publish bool) front.Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[server]++
	for _, m := range []map[string]*atomic.Int64{b.in, b.out} {
		if m[server] == nil {
			m[server] = new(atomic.Int64)
		}
	}
	return front.Entry{In: b.in[server], Out: b.out[server], End: func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.open[server]--
	}}
}

func (b *book) add(m map[string]int, server string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m[server] += n
}

func (b *book) Failed(server string, _ error)     { b.add(b.failed, server, 1) }
func (b *book) Succeeded(server string)           { b.add(b.worked, server, 1) }
func (b *book) Moved(server string)               { b.add(b.moved, server, 1) }
func (b *book) Traits(string) (shared, same bool) { return false, b.same }
func (b *book) Publishing(s string, _ stream.Name) (ended func()) {
	b.add(b.publishing, s, 1)
	return func() { b.add(b.publishing, s, -1) }
}

func (b *book) count(m map[string]int, server string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return m[server]
}

// empty checks that nothing is counted now.
func (b *book) empty(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range []map[string]int{b.open, b.publishing} {
		maps.DeleteFunc(m, func(_ string, n int) bool { return n == 0 })
		if len(m) != 0 {
			t.Errorf("still counted: %v", m)
		}
	}
}
