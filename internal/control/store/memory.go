package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Memory is a store within one process. A handle made by [NewMemory] is the
// store of a standalone server; further handles made by [Memory.Client] share its data, as the
// nodes of a test or a simulation share one etcd, and each can be partitioned
// from it. Time is the runtime's, so testing/synctest drives its leases.
type Memory struct {
	data *memoryData

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // watches and keep-alives of this handle

	cut    bool // under data.mu: this handle does not reach the data
	closed bool // under data.mu
}

// NewMemory returns a handle to an empty store.
func NewMemory() *Memory { return newMemoryHandle(newMemoryData()) }

func newMemoryHandle(d *memoryData) *Memory {
	m := &Memory{data: d}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// Client returns another handle to the same data.
func (m *Memory) Client() *Memory { return newMemoryHandle(m.data) }

// lock takes the data's lock if this handle reaches the data.
func (m *Memory) lock(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.data.mu.Lock()
	if m.closed {
		m.data.mu.Unlock()
		return ErrClosed
	}
	if !m.reachable() {
		m.data.mu.Unlock()
		return &UnavailableError{Op: op, Endpoints: []string{"memory"}, Err: errors.New("stopped or partitioned")}
	}
	return nil
}

// reachable needs data.mu.
func (m *Memory) reachable() bool { return !m.cut && !m.data.stopped }

// Get implements [Store].
func (m *Memory) Get(ctx context.Context, key string) (KV, error) {
	if err := m.lock(ctx, "get"); err != nil {
		return KV{}, err
	}
	defer m.data.mu.Unlock()
	kv, ok := m.data.keys[key]
	if !ok {
		return KV{}, ErrNotFound
	}
	return cloneKV(kv), nil
}

// List implements [Store].
func (m *Memory) List(ctx context.Context, prefix string) ([]KV, int64, error) {
	if err := m.lock(ctx, "list"); err != nil {
		return nil, 0, err
	}
	defer m.data.mu.Unlock()
	return m.data.list(prefix), m.data.rev, nil
}

// Put implements [Store].
func (m *Memory) Put(ctx context.Context, key string, value []byte, lease LeaseID) (int64, error) {
	ok, rev, _, err := m.txn(ctx, "put", nil, []Op{OpPut(key, value, lease)})
	if err != nil || !ok {
		return 0, err
	}
	return rev, nil
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, key string) error {
	_, _, _, err := m.txn(ctx, "delete", nil, []Op{OpDelete(key)})
	return err
}

// Txn implements [Store].
func (m *Memory) Txn(ctx context.Context, conds []Cond, ops []Op) (bool, int64, []KV, error) {
	return m.txn(ctx, "txn", conds, ops)
}

func (m *Memory) txn(ctx context.Context, op string, conds []Cond, ops []Op) (bool, int64, []KV, error) {
	if err := m.lock(ctx, op); err != nil {
		return false, 0, nil, err
	}
	defer m.data.mu.Unlock()
	for _, c := range conds {
		if m.data.keys[c.Key].Rev != c.Rev {
			return false, m.data.rev, m.data.current(conds), nil
		}
	}
	if err := m.data.apply(ops); err != nil {
		return false, 0, nil, err
	}
	return true, m.data.rev, nil, nil
}

// Grant implements [Store].
func (m *Memory) Grant(ctx context.Context, ttl time.Duration) (LeaseID, error) {
	if err := m.lock(ctx, "grant"); err != nil {
		return 0, err
	}
	defer m.data.mu.Unlock()
	return m.data.grant(ttl), nil
}

// Revoke implements [Store].
func (m *Memory) Revoke(ctx context.Context, id LeaseID) error {
	if err := m.lock(ctx, "revoke"); err != nil {
		return err
	}
	defer m.data.mu.Unlock()
	m.data.endLease(id)
	return nil
}

// KeepAlive implements [Store].
func (m *Memory) KeepAlive(ctx context.Context, id LeaseID) (<-chan struct{}, error) {
	if err := m.lock(ctx, "keepalive"); err != nil {
		return nil, err
	}
	defer m.data.mu.Unlock()
	l, ok := m.data.leases[id]
	if !ok {
		return nil, ErrLeaseGone
	}
	m.data.renew(l)
	lost := make(chan struct{})
	m.wg.Go(func() {
		defer close(lost)
		m.keepAlive(ctx, id, l.ttl)
	})
	return lost, nil
}

func (m *Memory) keepAlive(ctx context.Context, id LeaseID, ttl time.Duration) {
	tick := time.NewTicker(ttl / 3)
	defer tick.Stop()
	renewed := time.Now()
	for {
		var gone <-chan struct{}
		m.data.mu.Lock()
		if m.reachable() {
			l, ok := m.data.leases[id]
			if !ok {
				m.data.mu.Unlock()
				return
			}
			gone = l.gone
		}
		m.data.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-m.ctx.Done():
			return
		case <-gone:
			continue // looks again: the news travels only if this handle is reachable
		case <-tick.C:
		}
		m.data.mu.Lock()
		if l, ok := m.data.leases[id]; ok && m.reachable() {
			m.data.renew(l)
			renewed = time.Now()
		}
		m.data.mu.Unlock()
		if time.Since(renewed) >= ttl {
			return
		}
	}
}

// Close implements [Store]. The data stays for other handles.
func (m *Memory) Close() error {
	m.data.mu.Lock()
	m.closed = true
	m.data.mu.Unlock()
	m.cancel()
	m.wg.Wait()
	return nil
}
