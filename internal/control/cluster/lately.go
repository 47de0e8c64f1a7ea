package cluster

import (
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// lately are the streams whose records went without having been given back, for missingFor, at most
// latelyMax of them; the oldest makes room. Their owner is dead, or it is cut off from the store alone and
// serves them still. view.mu guards it.
type lately struct {
	order *list.List // of latelyEntry, oldest first: all live equally long
	at    map[stream.Name]*list.Element
}

type latelyEntry struct {
	record StreamRecord
	until  time.Time
}

func newLately() lately {
	return lately{order: list.New(), at: map[stream.Name]*list.Element{}}
}

func (l *lately) add(r StreamRecord, now time.Time) {
	l.remove(r.Name)
	for l.order.Len() > 0 {
		oldest := l.order.Front().Value.(latelyEntry)
		if l.order.Len() < latelyMax && now.Before(oldest.until) {
			break
		}
		l.remove(oldest.record.Name)
	}
	// What a claimer has to know, and no more: there may be many.
	r.Facts, r.Remembered = Facts{Timeline: r.Facts.Timeline}, true
	l.at[r.Name] = l.order.PushBack(latelyEntry{r, now.Add(missingFor)})
}

func (l *lately) get(name stream.Name, now time.Time) (StreamRecord, bool) {
	e, ok := l.at[name]
	if !ok || !now.Before(e.Value.(latelyEntry).until) {
		return StreamRecord{}, false
	}
	return e.Value.(latelyEntry).record, true
}

func (l *lately) remove(name stream.Name) {
	if e, ok := l.at[name]; ok {
		l.order.Remove(e)
		delete(l.at, name)
	}
}

// expired are the leases that ran out in a batch: nodes that went without having said so, with the revision.
// A lease takes all its records along at one revision, so a stream that leaves at another was given back. It needs v.mu.
func (v *view) expired(k keys, b store.WatchBatch) map[string]int64 {
	gone, leaving := map[string]int64{}, map[string]bool{}
	for _, e := range b.Events {
		p := k.parse(e.Key)
		if p.kind != "nodes" {
			continue
		}
		var n NodeRecord
		switch old := v.nodes[p.node]; {
		case !e.Deleted:
			leaving[p.node] = json.Unmarshal(e.Value, &n) == nil && n.State == StateLeaving
		case old != nil && old.State != StateLeaving && !leaving[p.node]:
			gone[p.node] = e.Rev
		}
	}
	return gone
}

// vanished reports whether a record that is not in the store went with its owner's lease, rather than
// that it was given back, and the view has not heard of it.
func (c *Cluster) vanished(ctx context.Context, last StreamRecord) (bool, error) {
	if last.Remembered {
		return true, nil
	}
	before := c.seenNow()
	_, err := c.o.Store.Get(ctx, c.keys.node(last.Owner))
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	c.observe(before, 0, err)
	return false, err
}

// giveBack notes a stream that its owner has given back: those who pull it do not tell of an owner that vanished. That
// is of use while this node is young, see lastOwner. It needs v.mu.
func (v *view) giveBack(name stream.Name) {
	switch {
	case v.now().Sub(v.began) >= missingFor:
		v.free = nil
	case len(v.free) < latelyMax:
		if v.free == nil {
			v.free = map[stream.Name]struct{}{}
		}
		v.free[name] = struct{}{}
	}
}

// lastOwner is who is to be asked before a stream without a record is claimed: its owner as this node knew it
// last, as far as that has not given it back. A node that has not been here for long enough to know takes
// it from the edges that pull the stream, unless it has seen the stream given back: edges let go later. Then nobody is named.
func (c *Cluster) lastOwner(name stream.Name) (StreamRecord, bool) {
	v, now := c.view, c.o.Now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	r, ok := v.lately.get(name, now)
	if s := v.streams[name]; s != nil {
		r, ok = s.StreamRecord, true
	}
	if ok {
		return r, r.Owner != c.o.Self.Name
	}
	_, free := v.free[name]
	return StreamRecord{Name: name, Remembered: true}, !free && len(v.pulls[name]) > 0 && now.Sub(v.began) < missingFor
}
