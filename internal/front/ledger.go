package front

import (
	"maps"
	"sync/atomic"

	"weir/internal/stream"
)

// Ledger is where this node's sessions at foreign servers are counted, and where
// it is said how those servers do. Its methods are called from sessions'
// goroutines and must not wait.
type Ledger interface {
	// Open counts a session that begins; end is called once.
	Open(server string, publish bool) Entry
	// Failed and Succeeded are evidence of a server's health: a session that came
	// about, or one that did not, or broke, by the server's fault.
	Failed(server string, err error)
	Succeeded(server string)
	// Moved counts a session that went on elsewhere.
	Moved(server string)
	// Traits are what is known of a server: see Backend.
	Traits(server string) (shared, sameClock bool)
	// Publishing says that a publisher of the stream has been put there, and ended,
	// once, that it is gone from there.
	Publishing(server string, name stream.Name) (ended func())
}

// Entry is one session's in a [Ledger]. In counts bytes from the client to the
// server, Out those back.
type Entry struct {
	In, Out *atomic.Int64
	End     func()
}

// enter counts a session of the stream at b. The caller calls End once.
func (f *Front) enter(name stream.Name, b *Backend, publish, spliced bool) Entry {
	here := f.viewers.by(spliced)
	if publish {
		here = f.publishers.by(spliced)
	}
	here.Add(1)
	e := noLedger{}.Open("", publish)
	if b.Foreign {
		e = f.o.Ledger.Open(b.Node, publish)
	}
	abroad := b.Foreign && !publish
	if abroad {
		f.countViewer(name, 1)
	}
	end := e.End
	e.End = func() {
		end()
		here.Add(-1)
		if abroad {
			f.countViewer(name, -1)
		}
	}
	return e
}

// countViewer counts a viewer of a stream at a foreign server, who comes or with n < 0 goes.
func (f *Front) countViewer(name stream.Name, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watching[name] += n; f.watching[name] == 0 {
		delete(f.watching, name)
	}
}

// Audience is how many sessions watch each stream at foreign servers through this front.
// Those at nodes are counted there.
func (f *Front) Audience() map[stream.Name]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.watching)
}

// noLedger counts nothing.
type noLedger struct{}

func (noLedger) Open(string, bool) Entry {
	return Entry{In: new(atomic.Int64), Out: new(atomic.Int64), End: func() {}}
}
func (noLedger) Failed(string, error)                          {}
func (noLedger) Succeeded(string)                              {}
func (noLedger) Moved(string)                                  {}
func (noLedger) Traits(string) (bool, bool)                    { return false, false }
func (noLedger) Publishing(string, stream.Name) (ended func()) { return func() {} }
