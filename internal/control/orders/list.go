package orders

import (
	"context"
	"maps"

	"weir/internal/control/store"
)

// List makes the book what the store has. A store that has gone back, or was wiped, is told what it has lost.
func (b *Book) List(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	epoch, err := b.issued(ctx)
	if err != nil {
		return err
	}
	kvs, rev, err := b.store.List(ctx, prefix)
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
func (b *Book) settle(ctx context.Context, kvs []store.KV, other bool) {
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
