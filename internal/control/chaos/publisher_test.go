package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/stream"
	"weir/internal/testnet/seeded"
)

// publish is one publisher of a stream, who comes back until the turmoil is over. What it holds
// then, it keeps.
func (w *world) publish(name stream.Name, r *rand.Rand) {
	for {
		time.Sleep(seeded.Between(r, 0, 4*time.Second))
		if time.Since(w.began) >= turmoil-time.Second {
			return
		}
		p := w.anybody(r)
		if p == nil {
			continue
		}
		own := w.claim(p, name, r.IntN(2) == 0)
		if own == nil {
			continue
		}
		leave := time.NewTimer(seeded.Between(r, 50*time.Millisecond, 12*time.Second))
		calm := time.NewTimer(turmoil - time.Since(w.began))
		select {
		case <-own.Lost():
			w.drop(p, own)
		case <-p.ends.Done():
			w.drop(p, own)
		case <-leave.C:
			if w.drop(p, own) {
				w.hist.release(p, own)
			}
		case <-calm.C: // and stays
			return
		}
	}
}

// anybody is a node that is up; nil if none is.
func (w *world) anybody(r *rand.Rand) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[r.IntN(len(w.nodes))].up
}

// claim is what a node does for a newcomer, on evidence (overrule) against an owner that is in its way.
func (w *world) claim(p *process, name stream.Name, overrule bool) *cluster.Ownership {
	ctx, cancel := context.WithTimeout(p.ends, 4*time.Second)
	defer cancel()
	own, err := w.hist.claim(ctx, p, name, nil)
	var busy *cluster.BusyError
	if errors.As(err, &busy) && (overrule || busy.Vanished && !w.holds(busy.Owner, name)) {
		own, err = w.hist.claim(ctx, p, name, &busy.Epoch)
	}
	if err != nil {
		return nil
	}
	w.mu.Lock()
	p.held[name] = own
	alive := p.m.up == p
	w.mu.Unlock()
	if !alive {
		w.drop(p, own)
		return nil
	}
	return own
}

// holds is what a node says when it is asked whether it has a stream whose record has gone.
func (w *world) holds(node string, name stream.Name) bool {
	return slices.ContainsFunc(w.holders(name), func(h holder) bool { return h.p.m.name == node })
}

// drop forgets a holding, and reports whether it was one.
func (w *world) drop(p *process, own *cluster.Ownership) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine := p.held[own.Name()] == own
	if mine {
		delete(p.held, own.Name())
	}
	return mine
}

// watch has an edge pull a stream now and then.
func (w *world) watch(name stream.Name, m *machine, r *rand.Rand) {
	for {
		time.Sleep(seeded.Between(r, 0, 5*time.Second))
		if time.Since(w.began) >= turmoil {
			return
		}
		w.mu.Lock()
		p := m.up
		on := false
		if p != nil {
			on = !p.pulls[name]
			p.pulls[name] = on
		}
		w.mu.Unlock()
		switch {
		case p == nil:
		case on:
			p.c.PullStarted(name)
		default:
			p.c.PullEnded(name)
		}
	}
}
