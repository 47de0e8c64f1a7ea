package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// ErrNotIssued: the store has not issued this epoch, or it cannot be asked and the epoch is
// further from what is known than it can have come.
var ErrNotIssued = errors.New("cluster: no store has issued this epoch")

// Believe checks an epoch that another node states, before anybody is fenced by it: a member
// that states a very high one would shut out all that come after it. It is believed if
//
//   - the record as this node knows it has that epoch, or a higher one; else
//   - the store, asked now, has; or has no record and has come as far; or,
//   - while the store is away, if it is of the incarnation that is known, and its revision
//     within what a store can have written since.
//
// It takes claimTimeoutDown at most, and asks the store only about what it does not know.
func (c *Cluster) Believe(ctx context.Context, name stream.Name, epoch stream.Epoch) error {
	if r, ok := c.known(name); epoch.IsZero() || ok && !r.Epoch.Less(epoch) {
		return nil
	}
	if !c.health.isDown() {
		ctx, cancel := context.WithTimeout(ctx, claimTimeoutDown)
		defer cancel()
		highest, err := c.issued(ctx, name)
		switch {
		case err == nil && highest.Less(epoch):
			return fmt.Errorf("%w: %v of %v; the highest is %v", ErrNotIssued, epoch, name, highest)
		case err == nil:
			return nil
		}
	}
	known := c.seenNow()
	most := stream.Epoch{Incarnation: known.incarnation, Revision: uint64(known.rev) + c.unseen()}
	if epoch.Incarnation != known.incarnation || most.Less(epoch) {
		return fmt.Errorf("%w: %v of %v; the store is away, and had come to %d.%d", ErrNotIssued, epoch, name, known.incarnation, known.rev)
	}
	return nil
}

// unseen is how many revisions the store can have issued that this node has not heard of: it
// is away, perhaps only from here.
func (c *Cluster) unseen() uint64 {
	c.health.mu.Lock()
	down, since := c.health.down, c.health.since
	c.health.mu.Unlock()
	if !down {
		since = c.o.Now()
	}
	return unseenMin + unseenRate*uint64(max(0, c.o.Now().Sub(since))/time.Second)
}

// issued is the highest epoch that a stream's owner can have: its record's, or if there is
// none the store's own revision.
func (c *Cluster) issued(ctx context.Context, name stream.Name) (stream.Epoch, error) {
	kv, err := c.o.Store.Get(ctx, c.keys.stream(name))
	if v, ok := parseStream(kv); err == nil && ok {
		return v.epoch(kv), nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return stream.Epoch{}, err
	}
	return c.Issued(ctx)
}

// Issued asks the store for the highest epoch that it can have issued: zero if it has no incarnation yet, or no
// longer. Two answers of different incarnations are of stores that may have nothing in common.
func (c *Cluster) Issued(ctx context.Context) (stream.Epoch, error) {
	kvs, rev, err := c.o.Store.List(ctx, c.keys.incarnation())
	if err != nil || len(kvs) == 0 {
		return stream.Epoch{}, err
	}
	incarnation, _ := strconv.ParseUint(string(kvs[0].Value), 10, 64)
	return stream.Epoch{Incarnation: incarnation, Revision: uint64(rev)}, nil
}
