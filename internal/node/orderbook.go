package node

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// ordersPrefix is where operators' orders to backends are in the store, without a lease:
//
//	PREFIX NAME/operator   drain or maint
//	PREFIX NAME/weight     a number
const ordersPrefix = cluster.DefaultPrefix + "orders/"

const (
	// ordersPause is how long the book waits after a watch or a list that failed.
	ordersPause = time.Second
	// ordersTerm bounds a watch; then the book lists again. Why at all: a watch of a store that was wiped waits in silence for
	// a revision that it had before. Why not shorter: two requests of every front.
	ordersTerm = 8 * time.Second
)

// orderBook is what operators want of backends, as the store has it, so that it outlives fronts and reaches those
// that start later. Orders reach the others directly, too: without the store they hold as long as the fronts run, and
// are written when it is back, unless somebody has ordered something else there meanwhile.
type orderBook struct {
	store    store.Store
	backends *fleet.Backends
	// issued tells the store's incarnation: a store of another one may have lost anything.
	issued func(context.Context) (stream.Epoch, error)

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
	rev   int64 // what the store had said by then: what it says later is newer
	owed  bool  // it was given here, and could not be written
}

func newOrderBook(s store.Store, b *fleet.Backends, issued func(context.Context) (stream.Epoch, error)) *orderBook {
	return &orderBook{store: s, backends: b, issued: issued, known: map[string]string{}, heard: map[string]heard{}, again: func() {}}
}

// entry is where an order is kept, and as what.
func (o *backendOrder) entry() (key, value string) {
	key, value = ordersPrefix+url.PathEscape(o.Name)+"/operator", o.Order
	if o.Weight != nil {
		key, value = ordersPrefix+url.PathEscape(o.Name)+"/weight", strconv.FormatFloat(*o.Weight, 'g', -1, 64)
	}
	if value == string(fleet.Ready) || value == "0" {
		value = ""
	}
	return key, value
}

// hear notes an order that is being carried out here.
func (b *orderBook) hear(o *backendOrder) {
	key, value := o.entry()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard[key] = heard{value: value, rev: b.rev}
}

// write keeps an order; if that fails, list does it later.
func (b *orderBook) write(ctx context.Context, o *backendOrder) error {
	key, value := o.entry()
	err := b.put(ctx, key, value)
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		h, ok := b.heard[key]
		if !ok {
			h.rev = b.rev // it is not for a backend of this front
		}
		if !ok || h.value == value {
			b.heard[key] = heard{value, h.rev, true}
		}
		b.again()
	}
	return err
}

func (b *orderBook) put(ctx context.Context, key, value string) error {
	if value == "" {
		return b.store.Delete(ctx, key)
	}
	_, err := b.store.Put(ctx, key, []byte(value), 0)
	return err
}

// run follows the store until ctx ends. What is known stays while the store is away.
func (b *orderBook) run(ctx context.Context) {
	for ctx.Err() == nil {
		if b.list(ctx) == nil && b.follow(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(ordersPause):
		}
	}
}

// follow takes changes in until its term ends, the watch fails, or an order could not be written. It reports whether it
// came to its term.
func (b *orderBook) follow(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, ordersTerm)
	defer cancel()
	b.mu.Lock()
	b.again = cancel
	for _, h := range b.heard {
		if h.owed {
			cancel()
		}
	}
	b.mu.Unlock()
	for batch := range b.store.Watch(ctx, ordersPrefix, b.rev+1) {
		if batch.Err != nil {
			break
		}
		b.take(batch)
	}
	return errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// list makes the book what the store has. A store that has gone back, or was wiped, is told what it has lost.
func (b *orderBook) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	epoch, err := b.issued(ctx)
	if err != nil {
		return err
	}
	kvs, rev, err := b.store.List(ctx, ordersPrefix)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	other := rev < b.rev || b.under > 0 && epoch.Incarnation != b.under
	b.settle(ctx, kvs, other)
	lost := b.known
	b.known = make(map[string]string, len(kvs))
	for _, kv := range kvs {
		delete(lost, kv.Key)
		if _, ok := b.heard[kv.Key]; ok {
			b.known[kv.Key] = string(kv.Value) // which has been overtaken
			continue
		}
		b.set(kv.Key, string(kv.Value))
	}
	for key, value := range lost {
		if !other {
			b.drop(key)
			continue
		}
		if _, err := b.store.Put(ctx, key, []byte(value), 0); err != nil {
			maps.Copy(b.known, lost)
			return err // and again: the revision stays
		}
		b.known[key] = value
	}
	b.rev, b.under = rev, epoch.Incarnation
	return nil
}

// settle writes what is owed, and forgets what the store has, or something newer. Of another store than before no
// revision says what is newer, and what had been written is not there. It needs b.mu.
func (b *orderBook) settle(ctx context.Context, kvs []store.KV, other bool) {
	at := make(map[string]store.KV, len(kvs))
	for _, kv := range kvs {
		at[kv.Key] = kv
	}
	for key, h := range b.heard {
		kv := at[key]
		if !other && kv.Rev > h.rev || string(kv.Value) == h.value {
			delete(b.heard, key)
		} else if h.owed || other {
			_ = b.put(ctx, key, h.value) // the next list sees whether it is there
		}
	}
}

func (b *orderBook) take(batch store.WatchBatch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range batch.Events {
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
func (b *orderBook) set(key, value string) {
	b.known[key] = value
	b.apply(key, value)
}

func (b *orderBook) drop(key string) {
	delete(b.known, key)
	b.apply(key, "")
}

// apply gives an order to the registry; "" takes it back.
func (b *orderBook) apply(key, value string) {
	name, what, _ := strings.Cut(strings.TrimPrefix(key, ordersPrefix), "/")
	name, err := url.PathUnescape(name)
	if err != nil {
		return
	}
	switch what {
	case "operator":
		switch o := fleet.Operator(value); o {
		case fleet.Drain, fleet.Maint:
			b.backends.Remember(name, o)
		case "":
			b.backends.Remember(name, fleet.Ready)
		}
	case "weight":
		w, err := strconv.ParseFloat(value, 64)
		if err == nil || value == "" {
			b.backends.RememberWeight(name, w)
		}
	}
}
