package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"weir/internal/control/cluster"
	"weir/internal/stream"
)

// holder is a hold on a stream that has neither been lost nor given back.
type holder struct {
	p   *process
	own *cluster.Ownership
}

func (w *world) up() []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	var up []*process
	for _, m := range w.nodes {
		if m.up != nil {
			up = append(up, m.up)
		}
	}
	return up
}

func (w *world) holders(name stream.Name) (all []holder) {
	for _, p := range w.up() {
		w.mu.Lock()
		own := p.held[name]
		w.mu.Unlock()
		if own == nil {
			continue
		}
		select {
		case <-own.Lost():
		default:
			all = append(all, holder{p, own})
		}
	}
	return all
}

// record is what the store has of a stream.
type record struct {
	Owner                 string
	Incarnation, Revision uint64
	epoch                 stream.Epoch
}

// wrong lists where the registry and the truth differ.
func (w *world) wrong() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	kvs, _, err := w.m.List(context.Background(), cluster.DefaultPrefix)
	if err != nil {
		return []string{err.Error()}
	}
	records, stored := map[string]record{}, map[string]bool{}
	for _, kv := range kvs {
		key := strings.TrimPrefix(kv.Key, cluster.DefaultPrefix)
		stored[key] = true
		var r record
		if strings.HasPrefix(key, "streams/") && json.Unmarshal(kv.Value, &r) == nil {
			r.epoch = stream.Epoch{Incarnation: r.Incarnation, Revision: r.Revision}
			if r.Revision == 0 {
				r.epoch.Revision = uint64(kv.Rev)
			}
			records[strings.TrimPrefix(key, "streams/")] = r
		}
	}
	up := w.up()
	for _, p := range up {
		if !stored["nodes/"+p.m.name] {
			say("%s is up and not registered", p.m.name)
		}
	}
	for _, name := range w.names {
		holders := w.holders(name)
		r, ok := records[name.String()]
		var owner string
		var epoch stream.Epoch
		switch {
		case len(holders) > 1:
			for _, h := range holders {
				say("%v: one of %d holders is %s.%d under %v", name, len(holders), h.p.m.name, h.p.gen, h.own.Epoch())
			}
			continue
		case len(holders) == 0 && ok && w.lives(r.Owner):
			say("%v: nobody holds it, recorded is %v", name, r)
			continue
		case len(holders) == 1:
			owner, epoch = holders[0].p.m.name, holders[0].own.Epoch()
			if !ok || r.Owner != owner || r.epoch != epoch || epoch.IsZero() {
				say("%v: %s holds it under %v, recorded is %v (%v)", name, owner, epoch, r, ok)
				continue
			}
			w.mu.Lock()
			for _, p := range up {
				if high := p.high[name]; epoch.Less(high) {
					say("%v: held under %v, and %s has had %v", name, epoch, p.m.name, high)
				}
			}
			w.mu.Unlock()
		case ok:
			continue // a dead node's, for its lease's time
		}
		for _, p := range up {
			got, known, err := p.c.Owner(context.Background(), name)
			if err != nil || known != (owner != "") || known && (got.Owner != owner || got.Epoch != epoch) {
				say("%v: owner is %q under %v, and %s says %q under %v (%v)", name, owner, epoch, p.m.name, got.Owner, got.Epoch, err)
			}
		}
		for _, p := range up {
			w.mu.Lock()
			if p.pulls[name] != stored["pulls/"+name.String()+"/"+p.m.name] {
				say("%v: %s pulls it: %v, recorded: %v", name, p.m.name, p.pulls[name], !p.pulls[name])
			}
			w.mu.Unlock()
		}
	}
	return wrong
}

func (w *world) lives(node string) bool {
	return slices.ContainsFunc(w.up(), func(p *process) bool { return p.m.name == node })
}

// orphans lists records of nodes that are dead, and members that others still see.
func (w *world) orphans() (wrong []string) {
	kvs, _, _ := w.m.List(context.Background(), cluster.DefaultPrefix)
	up := map[string]bool{}
	for _, p := range w.up() {
		up[p.m.name] = true
	}
	for _, kv := range kvs {
		var owner string
		switch parts := strings.Split(strings.TrimPrefix(kv.Key, cluster.DefaultPrefix), "/"); parts[0] {
		case "nodes", "loads":
			owner = parts[1]
		case "pulls":
			owner = parts[3]
		case "streams":
			var r record
			_ = json.Unmarshal(kv.Value, &r)
			owner = r.Owner
		default:
			continue
		}
		if !up[owner] {
			wrong = append(wrong, fmt.Sprintf("%s is dead and has left %s", owner, kv.Key))
		}
	}
	want := slices.Sorted(maps.Keys(up))
	for _, p := range w.up() {
		var got []string
		for _, n := range p.c.Nodes() {
			got = append(got, n.Name)
		}
		if !slices.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s sees %v, alive are %v", p.m.name, got, want))
		}
	}
	return wrong
}
