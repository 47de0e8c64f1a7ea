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
	b.settle(ctx, kvs, rev, other)
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
	if other {
		err = b.restore(ctx, lost)
	} else {
		b.takeBack(lost)
	}
	if err != nil {
		return err // and again: the revision stays
	}
	b.rev, b.under = rev, epoch.Incarnation
	return nil
}

// settle writes what is owed, and forgets what the store has, or something newer. Another store than before is owed all
// that was heard: what had been written is not there, and what is there came before. It needs b.mu.
func (b *Book) settle(ctx context.Context, kvs []store.KV, rev int64, other bool) {
	at := make(map[string]store.KV, len(kvs))
	for _, kv := range kvs {
		at[kv.Key] = kv
	}
	for key, h := range b.heard {
		if other {
			delete(b.known, key) // which has been overtaken, and is not for the store to have again
			h.rev, h.owed = rev, true
			b.heard[key] = h
		}
		kv := at[key]
		if kv.Rev > h.rev || string(kv.Value) == h.value {
			delete(b.heard, key)
		} else if h.owed {
			_, _ = b.put(ctx, key, h.value) // the next list sees whether it is there
		}
	}
}

// restore writes what another store than before does not have. It needs b.mu.
func (b *Book) restore(ctx context.Context, lost map[string]string) error {
	for key, value := range lost {
		if _, err := b.store.Put(ctx, key, []byte(value), 0); err != nil {
			maps.Copy(b.known, lost)
			return err
		}
		b.known[key] = value
	}
	return nil
}

// takeBack takes back the orders that the store has no longer, but for those that have been overtaken by what was heard:
// that has just been written if it is owed, and else is by whoever gave it. What is missing in two lists has been taken
// back, too. It needs b.mu.
func (b *Book) takeBack(lost map[string]string) {
	for key, value := range lost {
		h, overtaken := b.heard[key]
		switch {
		case overtaken && h.owed:
		case overtaken && !h.missing:
			h.missing = true
			b.heard[key] = h
			b.known[key] = value // until the next list
		default:
			delete(b.heard, key)
			b.drop(key)
		}
	}
}
