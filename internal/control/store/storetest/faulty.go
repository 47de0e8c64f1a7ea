package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"weir/internal/control/store"
)

// Handle is one node's connection to a store that can be cut, as [store.Memory]
// is.
type Handle interface {
	store.Store
	Partition(cut bool)
}

// Faulty is a Handle whose calls fail as those to a remote store do, where a
// caller cannot tell what became of its write:
//
//	cut      fails at once, not done
//	frozen   hangs to the call's limit and fails; not done, or done at the thaw
//	flaky    some calls: not done | done, answer lost | done late, answer in time or not
//
// Chance comes from the generator it was given. Watches and keep-alives are
// silent while it is cut or frozen.
type Faulty struct {
	Handle

	mu     sync.Mutex
	rng    *rand.Rand
	cut    bool
	frozen bool
	flaky  float64  // share of calls
	late   []func() // writes to be done at the thaw, in order
}

// NewFaulty returns a Faulty that does not fail yet. The generator is its own.
func NewFaulty(h Handle, rng *rand.Rand) *Faulty { return &Faulty{Handle: h, rng: rng} }

// Partition implements [Handle].
func (f *Faulty) Partition(cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = cut
	f.Handle.Partition(f.cut || f.frozen)
}

// Freeze makes calls hang, or ends that.
func (f *Faulty) Freeze(on bool) {
	f.mu.Lock()
	f.frozen = on
	f.Handle.Partition(f.cut || f.frozen)
	var late []func()
	if !on {
		late, f.late = f.late, nil
	}
	f.mu.Unlock()
	for _, write := range late {
		write()
	}
}

// Flaky makes that share of the calls fail; 0 ends it.
func (f *Faulty) Flaky(share float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flaky = share
}

// fate is what becomes of one call.
type fate struct {
	before, after time.Duration // on the way there and back
	undone        bool          // never arrives
	lost          bool          // its answer never arrives
	thaw          bool          // arrives at the thaw
}

func (f *Faulty) fate() fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.cut:
		return fate{} // the handle says so
	case f.frozen:
		return fate{undone: true, lost: true, thaw: f.rng.IntN(2) == 0}
	case f.rng.Float64() >= f.flaky:
		return fate{}
	}
	slow := time.Duration(f.rng.Int64N(int64(3 * time.Second)))
	switch f.rng.IntN(4) {
	case 0:
		return fate{undone: true, lost: true}
	case 1:
		return fate{lost: true}
	case 2:
		return fate{before: slow}
	}
	return fate{after: slow}
}

// call runs one call to its fate. done is run with a context of its own: once
// sent, a request is not taken back. write says that it may be done late.
func (f *Faulty) call(ctx context.Context, op string, write bool, done func(context.Context) error) error {
	fa := f.fate()
	if fa == (fate{}) {
		return done(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, store.DefaultTimeout)
	defer cancel()
	if fa.thaw && write {
		f.mu.Lock()
		f.late = append(f.late, func() { _ = done(context.Background()) })
		f.mu.Unlock()
	}
	answer := make(chan error, 1)
	if !fa.undone {
		go func() {
			time.Sleep(fa.before)
			err := done(context.Background())
			time.Sleep(fa.after)
			if !fa.lost {
				answer <- err
			}
		}()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return &store.UnavailableError{Op: op, Endpoints: []string{"faulty"}, Err: errors.Join(errLate, context.Cause(ctx))}
	}
}

var errLate = errors.New("no answer in time")

// Get implements [store.Store].
func (f *Faulty) Get(ctx context.Context, key string) (store.KV, error) {
	return result(f, ctx, "get", false, func(ctx context.Context) (store.KV, error) { return f.Handle.Get(ctx, key) })
}

// List implements [store.Store].
func (f *Faulty) List(ctx context.Context, prefix string) ([]store.KV, int64, error) {
	type answer struct {
		kvs []store.KV
		rev int64
	}
	a, err := result(f, ctx, "list", false, func(ctx context.Context) (a answer, err error) {
		a.kvs, a.rev, err = f.Handle.List(ctx, prefix)
		return a, err
	})
	return a.kvs, a.rev, err
}

// Put implements [store.Store].
func (f *Faulty) Put(ctx context.Context, key string, value []byte, lease store.LeaseID) (int64, error) {
	return result(f, ctx, "put", true, func(ctx context.Context) (int64, error) { return f.Handle.Put(ctx, key, value, lease) })
}

// Txn implements [store.Store].
func (f *Faulty) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	type answer struct {
		ok      bool
		rev     int64
		current []store.KV
	}
	a, err := result(f, ctx, "txn", true, func(ctx context.Context) (a answer, err error) {
		a.ok, a.rev, a.current, err = f.Handle.Txn(ctx, conds, ops)
		return a, err
	})
	return a.ok, a.rev, a.current, err
}

// Delete implements [store.Store].
func (f *Faulty) Delete(ctx context.Context, key string) error {
	return f.call(ctx, "delete", true, func(ctx context.Context) error { return f.Handle.Delete(ctx, key) })
}

// Grant implements [store.Store].
func (f *Faulty) Grant(ctx context.Context, ttl time.Duration) (store.LeaseID, error) {
	return result(f, ctx, "grant", true, func(ctx context.Context) (store.LeaseID, error) { return f.Handle.Grant(ctx, ttl) })
}

// Revoke implements [store.Store].
func (f *Faulty) Revoke(ctx context.Context, lease store.LeaseID) error {
	return f.call(ctx, "revoke", true, func(ctx context.Context) error { return f.Handle.Revoke(ctx, lease) })
}

// result is call for what has a result. A result that comes too late is not
// seen: the variable that it is written to is then nobody's.
func result[T any](f *Faulty, ctx context.Context, op string, write bool, done func(context.Context) (T, error)) (T, error) {
	var zero T
	got := make(chan T, 1) // a call is done once at most
	err := f.call(ctx, op, write, func(ctx context.Context) error {
		v, err := done(ctx)
		got <- v
		return err
	})
	select {
	case v := <-got:
		if !errors.Is(err, errLate) {
			return v, err
		}
	default:
	}
	return zero, err
}
