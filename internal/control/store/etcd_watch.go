package store

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Watch implements [Store]. The library resumes it over reconnections. A member
// that loses its leader ends it: cut off, it would be silent for ever.
func (s *Etcd) Watch(ctx context.Context, prefix string, fromRev int64) <-chan WatchBatch {
	out := make(chan WatchBatch)
	go func() {
		defer close(out)
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
		defer cancel()
		send := func(b WatchBatch) {
			select {
			case out <- b:
			case <-ctx.Done():
			}
		}
		// Waits here while the store is away.
		for r := range s.client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(fromRev)) {
			switch err := r.Err(); {
			case r.CompactRevision != 0:
				send(WatchBatch{Err: &CompactedError{Oldest: r.CompactRevision}})
				return
			case err != nil:
				send(WatchBatch{Err: s.fail(ctx, "watch", err)})
				return
			case len(r.Events) > 0:
				send(fromEtcdEvents(r.Events))
			}
		}
		if ctx.Err() == nil {
			send(WatchBatch{Err: s.fail(ctx, "watch", errWatchEnded)})
		}
	}()
	return out
}

func fromEtcdEvents(events []*clientv3.Event) WatchBatch {
	b := WatchBatch{Events: make([]Event, len(events))}
	for i, e := range events {
		b.Events[i].KV = fromEtcd(e.Kv)
		if e.Type == clientv3.EventTypeDelete {
			b.Events[i] = Event{KV: KV{Key: string(e.Kv.Key), Rev: e.Kv.ModRevision}, Deleted: true}
		}
		b.Rev = max(b.Rev, e.Kv.ModRevision)
	}
	return b
}
