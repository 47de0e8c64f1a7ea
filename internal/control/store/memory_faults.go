package store

import (
	"maps"
	"time"
)

// What can happen to a store, for tests and the simulator.

// Partition cuts this handle off the data, or joins it again. Leases go on running out.
func (m *Memory) Partition(cut bool) {
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	m.cut = cut
	m.data.broadcast()
}

// Stop makes the store unavailable to all handles. Leases stand still.
func (m *Memory) Stop() {
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	m.data.stopped = true
	for _, l := range m.data.leases {
		l.timer.Stop()
	}
	m.data.broadcast()
}

// Resume ends a Stop. Each lease begins its whole length again, as after an etcd election.
func (m *Memory) Resume() {
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	m.data.stopped = false
	for _, l := range m.data.leases {
		m.data.renew(l)
	}
	m.data.broadcast()
}

// Compact forgets the changes before rev: a watch from there gets ErrCompacted.
func (m *Memory) Compact(rev int64) {
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	m.data.compact(rev)
}

// Wipe replaces the store by an empty one. Watches hang on at their revision,
// as those of etcd do, and hear nothing until the new store has reached it.
func (m *Memory) Wipe() { m.Restore(Snapshot{rev: 1}) }

// Snapshot is a copy of a Memory's data.
type Snapshot struct {
	rev    int64
	keys   map[string]KV
	leases map[LeaseID]time.Duration
}

// Snapshot copies the data.
func (m *Memory) Snapshot() Snapshot {
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	s := Snapshot{rev: m.data.rev, keys: maps.Clone(m.data.keys), leases: map[LeaseID]time.Duration{}}
	for id, l := range m.data.leases {
		s.leases[id] = l.ttl
	}
	return s
}

// Restore replaces the data by an older copy; revisions go back to it, and its leases start anew.
func (m *Memory) Restore(s Snapshot) {
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	d := m.data
	for _, l := range d.leases {
		l.timer.Stop()
		close(l.gone)
	}
	d.rev, d.history, d.oldest = s.rev, nil, s.rev
	d.keys, d.leases = map[string]KV{}, map[LeaseID]*memoryLease{}
	maps.Copy(d.keys, s.keys)
	for id, ttl := range s.leases {
		d.leases[id] = &memoryLease{id: id, ttl: ttl, keys: map[string]bool{}, gone: make(chan struct{})}
		d.arm(d.leases[id])
	}
	for k, kv := range d.keys {
		if l := d.leases[kv.Lease]; l != nil {
			l.keys[k] = true
		}
	}
	d.broadcast()
}
