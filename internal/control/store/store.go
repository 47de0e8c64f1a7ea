package store

import (
	"context"
	"time"
)

// Store is the whole of what Weir asks of a store.
type Store interface {
	// Get returns one key, or ErrNotFound.
	Get(ctx context.Context, key string) (KV, error)
	// List returns the keys with the prefix in byte order, and the revision at
	// which the list was true.
	List(ctx context.Context, prefix string) (kvs []KV, rev int64, err error)
	// Put writes a key and returns the revision of the write. Lease 0 is none.
	Put(ctx context.Context, key string, value []byte, lease LeaseID) (rev int64, err error)
	// Txn applies ops at one revision if every condition holds. If one does
	// not, ok is false and current holds the keys of conds, in their order, as
	// they are (an absent one has Rev 0). rev is the store's revision after the call.
	// A key may appear once in ops.
	Txn(ctx context.Context, conds []Cond, ops []Op) (ok bool, rev int64, current []KV, err error)
	// Delete removes a key; an absent one is no error.
	Delete(ctx context.Context, key string) error
	// Watch delivers the changes under prefix from revision fromRev on,
	// inclusive; 0 begins with the next change. The channel ends with the context, or
	// after a batch whose Err is set. While the store is away it is silent.
	Watch(ctx context.Context, prefix string, fromRev int64) <-chan WatchBatch
	// Grant makes a lease. Backends may lengthen very short ones: see MinTTL.
	Grant(ctx context.Context, ttl time.Duration) (LeaseID, error)
	// KeepAlive renews the lease until the context ends. The channel is closed
	// when the lease is known to be gone, when nothing was heard for its whole length, so
	// that it must be feared gone, or when the context ends.
	KeepAlive(ctx context.Context, lease LeaseID) (lost <-chan struct{}, err error)
	// Revoke ends a lease and deletes its keys; an unknown one is no error.
	Revoke(ctx context.Context, lease LeaseID) error
	// Close ends every watch and keep-alive. Leases run out by themselves.
	Close() error
}

// LeaseID names a lease; 0 is no lease.
type LeaseID int64

// KV is one key as it was at some revision.
type KV struct {
	Key    string
	Value  []byte
	Rev    int64 // of the last write to the key; 0 if the key is absent
	Create int64 // of the write that created it
	Lease  LeaseID
}

// Cond holds if the key's last write was at Rev; Rev 0 means that the key is absent.
type Cond struct {
	Key string
	Rev int64
}

// Op is one write of a transaction; make it with [OpPut] or [OpDelete].
type Op struct {
	Key    string
	Value  []byte
	Lease  LeaseID
	Delete bool
}

// OpPut writes a key.
func OpPut(key string, value []byte, lease LeaseID) Op {
	return Op{Key: key, Value: value, Lease: lease}
}

// OpDelete removes a key.
func OpDelete(key string) Op { return Op{Key: key, Delete: true} }

// Event is one change of a key. A deletion carries the key and the revision only.
type Event struct {
	KV
	Deleted bool
}

// WatchBatch is a piece of a watch. All events of one revision are in one batch.
type WatchBatch struct {
	Events []Event
	Rev    int64 // of the last event
	Err    error // ErrCompacted or ErrUnavailable; the watch is over
}
