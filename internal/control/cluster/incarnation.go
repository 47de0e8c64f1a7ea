package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"weir/internal/control/store"
)

// checkIncarnation compares the store with what this process has seen, raises
// the incarnation if the store was wiped or restored, and adopts a higher one.
//
//	stored     revision      meaning             action
//	absent     any           new or wiped        create above all seen
//	< seen     any           restored, wiped     raise above all seen
//	= seen     < seen        restored            raise above all seen
//	= seen     ≥ seen        the same store      nothing
//	> seen     any           raised by another   adopt
func (c *Cluster) checkIncarnation(ctx context.Context) error { return c.raiseIncarnation(ctx, 0) }

// raiseIncarnation is checkIncarnation for who knows that the store went back while it had
// the incarnation bad.
func (c *Cluster) raiseIncarnation(ctx context.Context, bad uint64) error {
	if err := c.incGate.lock(ctx); err != nil {
		return err
	}
	defer c.incGate.unlock()
	key := c.keys.incarnation()
	for range settleTries {
		before := c.seenNow()
		c.mu.Lock()
		bad = max(bad, c.back)
		c.mu.Unlock()
		kvs, rev, err := c.o.Store.List(ctx, key)
		if err != nil {
			c.observe(before, 0, err)
			return err
		}
		var kv store.KV
		if len(kvs) > 0 && kvs[0].Key == key {
			kv = kvs[0]
		}
		stored, _ := strconv.ParseUint(string(kv.Value), 10, 64) // garbage is as good as absent
		if stored > before.incarnation || stored == before.incarnation && stored > bad && rev >= before.rev {
			c.observe(before, 0, nil)
			return c.adopt(stored, kv.Rev, rev)
		}
		next := max(before.incarnation+1, stored+1, uint64(max(c.o.Now().UnixMilli(), 1)))
		ok, rev, _, err := c.o.Store.Txn(ctx, []store.Cond{{Key: key, Rev: kv.Rev}},
			[]store.Op{store.OpPut(key, strconv.AppendUint(nil, next, 10), 0)})
		if err != nil {
			c.observe(before, 0, err)
			return err
		}
		if !ok {
			continue
		}
		if before.rev > 0 {
			c.log.Warn("the store was wiped or restored: raised its incarnation", "from", before.incarnation, "to", next)
		}
		c.observe(before, 0, nil)
		return c.adopt(next, rev, rev)
	}
	return &store.UnavailableError{Op: "incarnation", Hint: "others keep changing it"}
}

// adopt takes an incarnation as the one to claim under. Ownerships of another have to be settled.
func (c *Cluster) adopt(incarnation uint64, incRev, rev int64) error {
	c.mu.Lock()
	news := incarnation != c.seen.incarnation
	if news {
		c.seen = seen{incarnation, rev}
		for _, o := range c.held {
			o.touch()
		}
		clear(c.written)
		c.newest = write{}
	}
	c.seen.rev = max(c.seen.rev, rev)
	c.incRev = incRev
	c.mu.Unlock()
	if !news {
		return nil
	}
	c.wakeReconciler.ring()
	c.wakeWatcher.ring() // a watch in an older store may be silent for ever
	if c.o.Highest != nil {
		if err := c.o.Highest.Save(incarnation); err != nil {
			return fmt.Errorf("cluster: remembering the incarnation: %w", err)
		}
	}
	return nil
}

// HighestFile remembers the incarnation in a file of one line.
type HighestFile string

// Load returns 0 if there is no file.
func (f HighestFile) Load() (uint64, error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: not a number: delete the file if the store is new as well: %w", string(f), err)
	}
	return n, nil
}

// Save replaces the file as a whole.
func (f HighestFile) Save(n uint64) error {
	tmp, err := os.CreateTemp(filepath.Dir(string(f)), ".incarnation-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintln(tmp, n)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), string(f))
}
