package orders

import (
	"context"
	"errors"
	"sync"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/control/store"
	"weir/internal/stream"
)

const (
	// pause is how long the book waits after a watch or a list that failed.
	pause = time.Second
	// watchTerm bounds a watch; then the book lists again. Why at all: a watch of a store that was wiped waits in silence for
	// a revision that it had before. Why not shorter: two requests of every node.
	watchTerm = 8 * time.Second
	// listTimeout bounds a list, and what it writes. Why not longer: a node that starts without the store waits for it.
	listTimeout = time.Second
)

// Book is what operators want of backends, as the store has it and as this front has heard.
type Book struct {
	store    store.Store
	backends *fleet.Backends
	issued   func(context.Context) (stream.Epoch, error)

	mu    sync.Mutex
	known map[string]string // by key
	rev   int64             // of the last list or change
	heard map[string]heard  // by key: what has been carried out here, and has not come from the store yet
	again func()            // ends the watch: there is something to write
	under uint64            // the incarnation of the last list
}

// heard is an order that came directly; "" takes one back.
type heard struct {
	value string
	rev   int64 // what the store had said by then, or was told from here: what it says later is newer
	owed  bool  // this front is to write it: it was given here and could not be written, or the store has lost it
	// missing: at the last list the store had no order under this key any more, as it had at the one before.
	missing bool
}

// New returns a book that is empty until [Book.List]. issued tells the store's incarnation, as
// [weir/internal/control/cluster.Cluster.Issued] does: a store of another one may have lost anything.
func New(s store.Store, b *fleet.Backends, issued func(context.Context) (stream.Epoch, error)) *Book {
	return &Book{store: s, backends: b, issued: issued, known: map[string]string{}, heard: map[string]heard{}, again: func() {}}
}

// Take carries out an order at this front; not taken: there is no such backend here.
func (b *Book) Take(o *Order) (taken bool, err error) {
	err = o.carryOut(b.backends)
	if _, unknown := errors.AsType[*fleet.UnknownError](err); unknown {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	key, value := o.entry()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard[key] = heard{value: value, rev: max(b.rev, b.heard[key].rev)}
	return true, nil
}

// Write keeps an order; if that fails, [Book.Run] does it later.
func (b *Book) Write(ctx context.Context, o *Order) error {
	key, value := o.entry()
	rev, err := b.put(ctx, key, value)
	b.mu.Lock()
	defer b.mu.Unlock()
	h, ok := b.heard[key]
	if err == nil {
		if ok { // what is heard next is newer, although the store has not told of this one yet
			h.rev = max(h.rev, rev)
			b.heard[key] = h
		}
		return nil
	}
	if !ok {
		h.rev = b.rev // it is not for a backend of this front
	}
	if !ok || h.value == value {
		b.heard[key] = heard{value: value, rev: h.rev, owed: true}
	}
	b.again()
	return err
}

// put writes, and returns the revision that the store has then.
func (b *Book) put(ctx context.Context, key, value string) (rev int64, err error) {
	op := store.OpPut(key, []byte(value), 0)
	if value == "" {
		op = store.OpDelete(key)
	}
	_, rev, _, err = b.store.Txn(ctx, nil, []store.Op{op})
	return rev, err
}

// Run follows the store until ctx ends. What is known stays while the store is away.
func (b *Book) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if b.List(ctx) == nil && b.follow(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// follow takes changes in until its term ends, the watch fails, or an order could not be written. It reports whether it
// came to its term.
func (b *Book) follow(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, watchTerm)
	defer cancel()
	b.mu.Lock()
	b.again = cancel
	for _, h := range b.heard {
		if h.owed {
			cancel()
		}
	}
	b.mu.Unlock()
	for batch := range b.store.Watch(ctx, prefix, b.rev+1) {
		if batch.Err != nil {
			break
		}
		b.apply(batch)
	}
	return errors.Is(ctx.Err(), context.DeadlineExceeded)
}

func (b *Book) apply(batch store.WatchBatch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range batch.Events {
		if h, ok := b.heard[e.Key]; ok && (e.Rev < h.rev || e.Rev == h.rev && string(e.Value) != h.value) {
			delete(b.known, e.Key)
			if !e.Deleted {
				b.known[e.Key] = string(e.Value) // which has been overtaken
			}
			continue
		}
		delete(b.heard, e.Key)
		if e.Deleted {
			b.drop(e.Key)
		} else {
			b.set(e.Key, string(e.Value))
		}
	}
	b.rev = max(b.rev, batch.Rev)
}

// set and drop need b.mu.
func (b *Book) set(key, value string) {
	b.known[key] = value
	remember(b.backends, key, value)
}

func (b *Book) drop(key string) {
	delete(b.known, key)
	remember(b.backends, key, "")
}
