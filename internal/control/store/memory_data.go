package store

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryData is what the handles of one [Memory] share.
//
// Invariants, while mu is free:
//
//	history is sorted by Rev, and complete from revision oldest to rev
//	keys[k].Lease = l ≠ 0  ⇔  k ∈ leases[l].keys
type memoryData struct {
	mu      sync.Mutex
	rev     int64
	keys    map[string]KV
	history []Event
	oldest  int64 // first revision that history still holds
	news    chan struct{}

	leases    map[LeaseID]*memoryLease
	nextLease LeaseID
	stopped   bool
}

type memoryLease struct {
	id    LeaseID
	ttl   time.Duration
	keys  map[string]bool
	timer *time.Timer
	gone  chan struct{} // closed when the lease has ended
}

func newMemoryData() *memoryData {
	return &memoryData{
		rev: 1, oldest: 1,
		keys:   map[string]KV{},
		leases: map[LeaseID]*memoryLease{},
		news:   make(chan struct{}),
	}
}

func cloneKV(kv KV) KV {
	kv.Value = bytes.Clone(kv.Value)
	return kv
}

func (d *memoryData) list(prefix string) []KV {
	var out []KV
	for k, kv := range d.keys {
		if strings.HasPrefix(k, prefix) {
			out = append(out, cloneKV(kv))
		}
	}
	slices.SortFunc(out, func(a, b KV) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (d *memoryData) current(conds []Cond) []KV {
	out := make([]KV, len(conds))
	for i, c := range conds {
		out[i] = cloneKV(d.keys[c.Key])
		out[i].Key = c.Key
	}
	return out
}

// apply does the writes at one new revision, or none if there is nothing to change.
func (d *memoryData) apply(ops []Op) error {
	for _, op := range ops {
		if _, ok := d.leases[op.Lease]; !op.Delete && op.Lease != 0 && !ok {
			return ErrLeaseGone
		}
	}
	rev, changed := d.rev+1, false
	for _, op := range ops {
		old, had := d.keys[op.Key]
		if op.Delete && !had {
			continue
		}
		changed = true
		if l := d.leases[old.Lease]; l != nil {
			delete(l.keys, op.Key)
		}
		if op.Delete {
			delete(d.keys, op.Key)
			d.history = append(d.history, Event{KV: KV{Key: op.Key, Rev: rev}, Deleted: true})
			continue
		}
		kv := KV{Key: op.Key, Value: bytes.Clone(op.Value), Rev: rev, Create: rev, Lease: op.Lease}
		if had {
			kv.Create = old.Create
		}
		d.keys[op.Key] = kv
		if l := d.leases[op.Lease]; l != nil {
			l.keys[op.Key] = true
		}
		d.history = append(d.history, Event{KV: kv})
	}
	if !changed {
		return nil
	}
	d.rev = rev
	if len(d.history) > 2*historyEvents {
		d.compact(d.history[len(d.history)-historyEvents].Rev)
	}
	d.broadcast()
	return nil
}

// compact forgets the changes before rev.
func (d *memoryData) compact(rev int64) {
	if rev <= d.oldest {
		return
	}
	d.oldest = rev
	d.history = slices.Clone(d.history[d.index(rev):])
}

// index of the first change at or after rev.
func (d *memoryData) index(rev int64) int {
	i, _ := slices.BinarySearchFunc(d.history, rev, func(e Event, rev int64) int {
		if e.Rev < rev {
			return -1
		}
		return +1
	})
	return i
}

// broadcast wakes whoever waits for a change of anything.
func (d *memoryData) broadcast() {
	close(d.news)
	d.news = make(chan struct{})
}

func (d *memoryData) grant(ttl time.Duration) LeaseID {
	d.nextLease++
	l := &memoryLease{id: d.nextLease, ttl: max(ttl, time.Millisecond), keys: map[string]bool{}, gone: make(chan struct{})}
	d.leases[l.id] = l
	d.arm(l)
	return l.id
}

// arm starts the lease's clock; a later arm or an end makes this one void.
func (d *memoryData) arm(l *memoryLease) {
	var t *time.Timer
	t = time.AfterFunc(l.ttl, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.leases[l.id] == l && l.timer == t && !d.stopped {
			d.endLease(l.id)
		}
	})
	l.timer = t
}

func (d *memoryData) renew(l *memoryLease) {
	l.timer.Stop()
	d.arm(l)
}

// endLease deletes the lease and its keys, at one revision.
func (d *memoryData) endLease(id LeaseID) {
	l, ok := d.leases[id]
	if !ok {
		return
	}
	l.timer.Stop()
	var ops []Op
	for _, k := range slices.Sorted(maps.Keys(l.keys)) {
		ops = append(ops, OpDelete(k))
	}
	_ = d.apply(ops) // deletions cannot fail
	delete(d.leases, id)
	close(l.gone)
}
