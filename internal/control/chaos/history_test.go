package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// The history of a stream's ownership is checked against a register that holds at most one
// (owner, epoch). What claimants saw are its operations:
//
//	claim e    the register was empty, or held this node's own, or the epoch taken over from; e is higher than
//	           all before
//	busy e     it held e
//	release e  it held e, and is empty
//
// Not every write has a claimant that saw it: answers get lost, and settlements happen in the
// background. Those that the recorder saw in the store are operations of nobody's, at the
// time of the write. A lease's end empties the register too.
type history struct {
	mu     sync.Mutex
	seen   []operation              // by claimants
	writes []write                  // in the store, in any order
	heard  map[int64]int64          // revision of a change → when it was heard of
	byKey  map[string][]store.Event // all changes of the key, in order of revision
}

type operation struct {
	name      stream.Name
	kind      string // claim, busy, release
	node      string
	epoch     stream.Epoch
	from      stream.Epoch // of a claim that took over
	call, ret int64
}

// write is a transaction on a stream's record that was done.
type write struct {
	key       string
	node      string
	rev       int64
	deleted   bool
	call, ret int64
}

// recorder is a process's handle to the store as the store sees it: what arrives, and is
// done, whether or not its answer arrives.
type recorder struct {
	*store.Memory
	w    *world
	node string

	mu    sync.Mutex
	lease store.LeaseID
}

func (r *recorder) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	call := r.w.tick.Add(1)
	ok, rev, current, err := r.Memory.Txn(ctx, conds, ops)
	ret := r.w.tick.Add(1)
	if ok && err == nil {
		h := &r.w.hist
		h.mu.Lock()
		for _, op := range ops {
			if strings.Contains(op.Key, "/streams/") {
				h.writes = append(h.writes, write{op.Key, r.node, rev, op.Delete, call, ret})
			}
		}
		h.mu.Unlock()
	}
	return ok, rev, current, err
}

func (r *recorder) Grant(ctx context.Context, ttl time.Duration) (store.LeaseID, error) {
	l, err := r.Memory.Grant(ctx, ttl)
	r.mu.Lock()
	r.lease = l
	r.mu.Unlock()
	return l, err
}

// expire ends the process's lease behind its back.
func (r *recorder) expire() {
	r.mu.Lock()
	l := r.lease
	r.mu.Unlock()
	_ = r.Memory.Revoke(context.Background(), l)
}

// follow keeps all that happens to streams' records.
func (h *history) follow(ctx context.Context, w *world) {
	h.heard, h.byKey = map[int64]int64{}, map[string][]store.Event{}
	all := w.m.Watch(ctx, cluster.DefaultPrefix+"streams/", 1)
	w.wg.Go(func() {
		for b := range all {
			h.mu.Lock()
			for _, e := range b.Events {
				h.byKey[e.Key] = append(h.byKey[e.Key], e)
				h.heard[e.Rev] = w.tick.Add(1)
			}
			h.mu.Unlock()
		}
	})
}

// claim claims, or takes over, and notes what came of it.
func (h *history) claim(ctx context.Context, p *process, name stream.Name, from *stream.Epoch) (own *cluster.Ownership, err error) {
	op := operation{name: name, kind: "claim", node: p.m.name, call: p.w.tick.Add(1)}
	if from == nil {
		own, err = p.c.Claim(ctx, name, cluster.Facts{})
	} else {
		op.from = *from
		own, err = p.c.TakeOver(ctx, name, cluster.Facts{}, *from)
	}
	op.ret = p.w.tick.Add(1)
	var busy *cluster.BusyError
	switch {
	case err == nil:
		op.epoch = own.Epoch()
		p.w.logf("%s.%d claim of %v (from %v): %v", p.m.name, p.gen, name, op.from, op.epoch)
	case errors.As(err, &busy) && busy.Vanished:
		return own, err // the register is empty; who had it last is to be asked
	case errors.As(err, &busy):
		op.kind, op.epoch = "busy", busy.Epoch
		p.w.mu.Lock()
		calm := time.Now().After(p.m.shook)
		p.w.mu.Unlock()
		if !calm {
			return own, err // it may have been answered from memory
		}
	default:
		p.w.logf("%s.%d claim of %v: %v", p.m.name, p.gen, name, err)
		return own, err
	}
	if !op.epoch.IsZero() { // else it is confirmed later, or never
		h.note(op)
	}
	return own, err
}

func (h *history) release(p *process, own *cluster.Ownership) {
	epoch := own.Epoch()
	op := operation{name: own.Name(), kind: "release", node: p.m.name, epoch: epoch, call: p.w.tick.Add(1)}
	err := own.Release(context.Background())
	op.ret = p.w.tick.Add(1)
	if err == nil && !epoch.IsZero() && own.Epoch() == epoch {
		h.note(op)
	}
}

func (h *history) note(op operation) {
	h.mu.Lock()
	h.seen = append(h.seen, op)
	h.mu.Unlock()
}

type register struct {
	held  bool
	node  string
	epoch stream.Epoch
	high  stream.Epoch
}

var registerModel = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, in, _ any) (bool, any) {
		s, o := state.(register), in.(operation)
		switch o.kind {
		case "claim":
			free := !s.held || s.node == o.node || s.epoch == o.from
			return free && s.high.Less(o.epoch), register{true, o.node, o.epoch, o.epoch}
		case "busy":
			return s.held && s.epoch == o.epoch, s
		}
		return s.held && s.epoch == o.epoch, register{high: s.high}
	},
	DescribeOperation: func(in, _ any) string { return fmt.Sprintf("%+v", in) },
}

// check reports a history that no register can have.
func (h *history) check(t *testing.T, w *world) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range w.names {
		ops := h.of(name)
		history := make([]porcupine.Operation, len(ops))
		for i, o := range ops {
			history[i] = porcupine.Operation{ClientId: i, Input: o, Call: o.call, Return: o.ret}
		}
		if r := porcupine.CheckOperationsTimeout(registerModel, history, 20*time.Second); r == porcupine.Illegal {
			t.Errorf("%v: its history is not linearizable", name)
			for _, o := range ops {
				t.Logf("%+v", o)
			}
		}
	}
}

// of is one stream's history: what the store did, widened to what claimants saw of it, and what
// else they saw.
func (h *history) of(name stream.Name) []operation {
	claims, releases := map[stream.Epoch]operation{}, map[stream.Epoch]operation{}
	var ops []operation
	for _, o := range h.seen {
		switch {
		case o.name != name:
		case o.kind == "claim":
			claims[o.epoch] = o
		case o.kind == "release":
			releases[o.epoch] = o
		default:
			ops = append(ops, o)
		}
	}
	key := cluster.DefaultPrefix + "streams/" + name.String()
	writes := map[int64]write{}
	for _, w := range h.writes {
		if w.key == key {
			writes[w.rev] = w
		}
	}
	var held stream.Epoch
	for _, e := range h.byKey[key] {
		w, deed := writes[e.Rev]
		if e.Deleted {
			op := operation{name: name, kind: "release", node: w.node, epoch: held, call: w.call, ret: w.ret}
			if !deed { // a lease's end
				op.call, op.ret = 0, h.heard[e.Rev]
			} else if o, ok := releases[held]; ok && o.node == w.node && o.call < w.call && w.ret < o.ret {
				op = o
			}
			ops = append(ops, op)
			held = stream.Epoch{}
			continue
		}
		var v struct {
			Incarnation, Revision uint64
		}
		if json.Unmarshal(e.Value, &v) != nil || v.Revision != 0 {
			continue // an update
		}
		epoch := stream.Epoch{Incarnation: v.Incarnation, Revision: uint64(e.Rev)}
		op := operation{name: name, kind: "claim", node: w.node, epoch: epoch, from: held, call: w.call, ret: w.ret}
		if o, ok := claims[epoch]; ok {
			op = o
			delete(claims, epoch)
		}
		ops = append(ops, op)
		held = epoch
	}
	for _, o := range claims { // of which the store knows nothing: the model will say so
		o.ret = math.MaxInt64
		ops = append(ops, o)
	}
	return ops
}
