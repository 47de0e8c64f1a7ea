package store

import (
	"context"
	"strings"
)

// watchBatchEvents bounds one batch, in events, so that a late watcher holds the lock shortly.
// A batch may exceed it by the rest of its last revision.
const watchBatchEvents = 1024

// Watch implements [Store].
func (m *Memory) Watch(ctx context.Context, prefix string, fromRev int64) <-chan WatchBatch {
	ch := make(chan WatchBatch)
	m.data.mu.Lock()
	defer m.data.mu.Unlock()
	if m.closed {
		close(ch)
		return ch
	}
	if fromRev <= 0 {
		fromRev = m.data.rev + 1
	}
	m.wg.Go(func() {
		defer close(ch)
		m.watch(ctx, ch, prefix, fromRev)
	})
	return ch
}

func (m *Memory) watch(ctx context.Context, ch chan<- WatchBatch, prefix string, next int64) {
	for {
		m.data.mu.Lock()
		news := m.data.news
		var batch WatchBatch
		if m.reachable() {
			batch, next = m.data.batch(prefix, next)
		}
		m.data.mu.Unlock()
		if batch.Err == nil && len(batch.Events) == 0 {
			select {
			case <-news:
			case <-ctx.Done():
				return
			case <-m.ctx.Done():
				return
			}
			continue
		}
		select {
		case ch <- batch:
		case <-ctx.Done():
			return
		case <-m.ctx.Done():
			return
		}
		if batch.Err != nil {
			return
		}
	}
}

// batch collects what happened under prefix from revision next on, and where to go on.
func (d *memoryData) batch(prefix string, next int64) (WatchBatch, int64) {
	if next < d.oldest {
		return WatchBatch{Err: &CompactedError{Oldest: d.oldest}}, next
	}
	var b WatchBatch
	for _, e := range d.history[d.index(next):] {
		if len(b.Events) >= watchBatchEvents && e.Rev > b.Rev {
			break
		}
		if strings.HasPrefix(e.Key, prefix) {
			b.Events = append(b.Events, e)
			b.Rev = e.Rev
		}
		next = e.Rev + 1
	}
	return b, next
}
