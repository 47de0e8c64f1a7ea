package cluster

import (
	"encoding/json"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// fleetChange is what a step of the view did to the set of nodes.
type fleetChange struct {
	up   []NodeRecord
	gone []NodeRecord // as they were last
	// ended are the streams that nobody owns any more.
	ended []StreamRecord
}

// reset replaces everything by a list. If remember is set, the store is not
// the one that it was, and what it does not know is kept for a while.
func (v *view) reset(k keys, kvs []store.KV, rev int64, remember bool) fleetChange {
	v.mu.Lock()
	defer v.mu.Unlock()
	oldNodes, oldStreams, oldUntil := v.nodes, v.streams, v.until
	v.nodes, v.streams, v.until = map[string]*Node{}, map[stream.Name]*viewStream{}, map[string]time.Time{}
	v.loads, v.pulls = map[string]Load{}, map[stream.Name]map[string]bool{}
	v.placed, v.turns = map[string]map[string]Placed{}, map[string]int64{}
	v.absent.clear()
	clear(v.free) // somebody may have come and vanished unseen
	now := v.now()
	var change fleetChange
	for name, n := range oldNodes {
		v.nodes[name] = n // its load and its being known; put or removed below
	}
	known := map[string]bool{}
	for _, kv := range kvs {
		p := k.parse(kv.Key)
		if p.kind == "nodes" {
			known[p.node] = true
		}
		if p.kind == "streams" {
			if old := oldStreams[p.name]; old != nil {
				v.streams[p.name] = old // so that a lower epoch does not replace it
			}
		}
		v.put(p, kv, &change)
	}
	for name, n := range oldNodes {
		switch until, was := oldUntil[name]; {
		case known[name]:
		case remember && !was && n.State != StateLeaving:
			n.Remembered = true
			v.until[name] = now.Add(rememberFor)
		case was && now.Before(until):
			v.until[name] = until
		default:
			delete(v.nodes, name)
			change.gone = append(change.gone, n.NodeRecord)
		}
	}
	for name, s := range oldStreams {
		if v.streams[name] != nil {
			continue
		}
		if remember && !s.Remembered {
			s.Remembered, s.until = true, now.Add(rememberFor)
		}
		if s.Remembered && now.Before(s.until) {
			v.streams[name] = s
			continue
		}
		change.ended = append(change.ended, s.StreamRecord)
		if n := oldNodes[s.Owner]; n == nil || n.State != StateLeaving {
			v.lately.add(s.StreamRecord, now) // it may have been given back unseen: then its owner says so
		}
		v.publish(name, OwnerChange{Record: StreamRecord{Name: name}})
	}
	v.rev = rev
	select {
	case <-v.synced:
	default:
		v.began = now
		close(v.synced)
	}
	return change
}

// apply takes one batch of the watch in. If remember is set, leases have run out because
// nobody could keep them alive: nodes that go, and their streams, are kept for a while.
func (v *view) apply(k keys, b store.WatchBatch, remember bool) fleetChange {
	v.mu.Lock()
	defer v.mu.Unlock()
	var change fleetChange
	gone := v.expired(k, b)
	if remember {
		v.keep(k, b, gone)
	}
	for _, e := range b.Events {
		if p := k.parse(e.Key); e.Deleted {
			v.remove(p, e.Rev, gone, &change)
		} else {
			v.put(p, e.KV, &change)
		}
	}
	v.rev = b.Rev
	return change
}

// put needs v.mu.
func (v *view) put(p parsed, kv store.KV, change *fleetChange) {
	switch p.kind {
	case "nodes":
		n := Node{Load: v.loads[p.node]}
		if json.Unmarshal(kv.Value, &n.NodeRecord) != nil {
			return
		}
		old := v.nodes[p.node]
		if old != nil {
			n.Load, n.LoadSeen = old.Load, old.LoadSeen
		}
		if _, ok := v.loads[p.node]; ok && n.LoadSeen.IsZero() {
			n.LoadSeen = v.now()
		}
		if n.Placed = v.placed[p.node]; n.Placed != nil {
			n.PlacedSeen = v.now()
		}
		if old == nil || old.Process != n.Process {
			change.up = append(change.up, n.NodeRecord)
		}
		v.nodes[p.node] = &n
		delete(v.until, p.node)
	case "loads":
		var l Load
		if json.Unmarshal(kv.Value, &l) != nil {
			return
		}
		v.loads[p.node] = l
		if old := v.nodes[p.node]; old != nil {
			n := *old // readers may hold the old one
			n.Load, n.LoadSeen = l, v.now()
			v.nodes[p.node] = &n
		}
	case "fronts":
		l, ok := parsePlaced(kv)
		if !ok {
			return
		}
		v.placed[p.node] = l
		v.place(p.node, l)
	case "turns":
		v.turns[p.node] = kv.Rev
	case "streams":
		val, ok := parseStream(kv)
		if !ok {
			return
		}
		s := &viewStream{StreamRecord: val.record(p.name, kv), claim: val.Claim, rev: kv.Rev}
		old := v.streams[p.name]
		if old != nil && s.Epoch.Less(old.Epoch) {
			return // an older copy's record, until its owner or the sweep replaces it
		}
		v.streams[p.name] = s
		v.absent.remove(p.name)
		v.lately.remove(p.name)
		delete(v.free, p.name)
		if old == nil || old.Epoch != s.Epoch || old.Owner != s.Owner || old.Facts.Backend != s.Facts.Backend {
			v.publish(p.name, OwnerChange{Record: s.StreamRecord, Present: true})
		}
	case "pulls":
		if v.pulls[p.name] == nil {
			v.pulls[p.name] = map[string]bool{}
		}
		v.pulls[p.name][p.node] = true
	}
}

// place takes over what a front has at servers that are no nodes. It needs v.mu.
func (v *view) place(node string, l map[string]Placed) {
	if old := v.nodes[node]; old != nil {
		n := *old // readers may hold the old one
		n.Placed, n.PlacedSeen = l, v.now()
		v.nodes[node] = &n
	}
}

// keep marks the nodes whose leases ran out, and the streams that go with them, as remembered.
// It needs v.mu.
func (v *view) keep(k keys, b store.WatchBatch, gone map[string]int64) {
	until := v.now().Add(rememberFor)
	for name := range gone {
		n := *v.nodes[name] // readers may hold the old one
		n.Remembered = true
		v.nodes[name], v.until[name] = &n, until
	}
	for _, e := range b.Events {
		if p := k.parse(e.Key); e.Deleted && p.kind == "streams" {
			if old := v.streams[p.name]; old != nil && gone[old.Owner] == e.Rev {
				s := *old
				s.Remembered, s.until = true, until
				v.streams[p.name] = &s
			}
		}
	}
}

// remove takes a deletion in, beside those of leases that have gone. What is to be remembered stays. It needs v.mu.
func (v *view) remove(p parsed, rev int64, gone map[string]int64, change *fleetChange) {
	switch p.kind {
	case "nodes":
		old := v.nodes[p.node]
		if old == nil || old.Remembered {
			break
		}
		change.gone = append(change.gone, old.NodeRecord)
		delete(v.nodes, p.node)
	case "loads":
		delete(v.loads, p.node)
	case "fronts":
		delete(v.placed, p.node)
		if n := v.nodes[p.node]; n != nil && !n.Remembered {
			v.place(p.node, nil)
		}
	case "turns":
		delete(v.turns, p.node)
	case "streams":
		if s := v.streams[p.name]; s != nil && !s.Remembered {
			delete(v.streams, p.name)
			change.ended = append(change.ended, s.StreamRecord)
			if gone[s.Owner] == rev {
				v.lately.add(s.StreamRecord, v.now())
			} else {
				v.giveBack(p.name)
			}
			v.publish(p.name, OwnerChange{Record: StreamRecord{Name: p.name}})
		}
	case "pulls":
		delete(v.pulls[p.name], p.node)
		if len(v.pulls[p.name]) == 0 {
			delete(v.pulls, p.name)
		}
	}
}

// forget reports whether something remembered has been remembered long enough: then the
// view has to be made anew from the store.
func (v *view) forget() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	now := v.now()
	for _, until := range v.until {
		if !now.Before(until) {
			return true
		}
	}
	for _, s := range v.streams {
		if s.Remembered && !now.Before(s.until) {
			return true
		}
	}
	return false
}
