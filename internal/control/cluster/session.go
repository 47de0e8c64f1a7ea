package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"weir/internal/control/store"
)

// session keeps the node registered: a lease, kept alive, and the node's record
// under it. When the lease is lost it makes another and has everything under it put again.
//
// Another process's record under this node's name is a successor's if its lease is kept
// alive. One that a restored store brought back runs out.
func (c *Cluster) session() {
	var rival time.Time // since when one is seen, the store answering; by the runtime's clock
	for n := 0; c.ctx.Err() == nil; n++ {
		err := c.hold()
		var taken *NameTakenError
		if errors.As(err, &taken) {
			c.refused <- err // Start's to tell
			return
		}
		switch {
		case !errors.Is(err, ErrNameTaken):
			rival = time.Time{}
		case rival.IsZero():
			rival = time.Now()
		case time.Since(rival) > c.o.TTL*5/4:
			c.standBack()
			return
		}
		if err == nil {
			n = -1 // it had been registered: begin with a short pause
		} else {
			c.log.Debug("registration failed", "err", err)
		}
		select {
		case <-time.After(c.backoff(max(n, 0))):
		case <-c.ctx.Done():
		}
	}
}

// hold registers and returns nil when a registration has ended.
func (c *Cluster) hold() error {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	before := c.seenNow()
	lease, err := c.o.Store.Grant(ctx, c.o.TTL)
	c.observe(before, 0, err)
	if err != nil {
		return err
	}
	lost, err := c.o.Store.KeepAlive(ctx, lease)
	if err == nil {
		err = c.putNode(ctx, lease)
	}
	if err != nil {
		c.revoke(lease)
		return err
	}
	c.beginLease(lease)
	defer c.endLease()
	again := time.AfterFunc(time.Hour, c.wakeSession.ring)
	again.Stop()
	defer again.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return nil
		case <-lost:
			if c.ctx.Err() == nil {
				c.log.Warn("the node's lease is lost: registering again", "lease", int64(lease))
			}
			return nil
		case <-c.dropLease:
			c.revoke(lease) // whatever is left of it
			return nil
		case <-c.wakeSession:
			if err := c.putNode(ctx, lease); err != nil {
				if errors.Is(err, ErrNameTaken) {
					return err
				}
				if errors.Is(err, store.ErrLeaseGone) {
					return nil
				}
				// Tried again while the store is away.
				again.Reset(c.backoff(3))
			}
		}
	}
}

// revoke is best effort: a lease that nobody keeps alive runs out.
func (c *Cluster) revoke(lease store.LeaseID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), claimTimeoutDown)
	defer cancel()
	_ = c.o.Store.Revoke(ctx, lease)
}

func (c *Cluster) beginLease(lease store.LeaseID) {
	c.mu.Lock()
	c.lease = lease
	first := !c.everIn
	c.everIn = true
	for _, o := range c.held {
		o.touch()
	}
	c.mu.Unlock()
	select {
	case <-c.dropLease: // meant the lease before
	default:
	}
	if first {
		close(c.registered)
	} else {
		c.wakeWatcher.ring() // a wiped store knows no lease: this may be one
	}
	c.wakeReconciler.ring()
	c.wakeSharer.ring()
}

// leaseGone has a lease replaced that a call found gone, unless it has been already.
func (c *Cluster) leaseGone(lease store.LeaseID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lease == lease {
		c.dropLease.ring()
	}
}

func (c *Cluster) endLease() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed { // Close revokes it
		c.lease, c.leaseLost = 0, c.o.Now()
	}
}

// putNode writes the node's record. A record of another process under the same name that
// is found at the first registration is a predecessor's, if it does not live any more, and else the
// reason not to start. Later it is one that an older copy of the store brought back, if its process began
// before this one. The lease of both is revoked, and with it everything that they left behind. Otherwise it
// is a successor's, and this process stands back: two that evict each other would be worse than one.
func (c *Cluster) putNode(ctx context.Context, lease store.LeaseID) error {
	key := c.keys.node(c.o.Self.Name)
	vacated := "" // the process that does not live
	for range settleTries {
		before := c.seenNow()
		kv, err := c.o.Store.Get(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			c.observe(before, 0, err)
			return err
		}
		c.mu.Lock()
		c.self.SecretMark = secretMark(c.secret)
		self, everIn := c.self, c.everIn
		c.mu.Unlock()
		var old NodeRecord
		if err == nil && json.Unmarshal(kv.Value, &old) == nil && old.Process != self.Process {
			if everIn && old.Started > self.Started {
				return ErrNameTaken
			}
			if !everIn && old.Process != vacated {
				if err := c.vacate(ctx, old, kv.Lease); err != nil {
					return err
				}
				vacated = old.Process
				continue // it may have gone meanwhile, or another come
			}
		}
		if !everIn {
			self.Started = max(self.Started, old.Started+1, c.o.Now().UnixMilli())
			c.mu.Lock()
			c.self.Started = self.Started
			c.mu.Unlock()
		}
		ok, rev, _, err := c.o.Store.Txn(ctx, []store.Cond{{Key: key, Rev: kv.Rev}}, []store.Op{store.OpPut(key, encode(self), lease)})
		c.observeWrite(before, rev, ok, err)
		if err != nil {
			return err
		}
		if ok && old.Process != "" && old.Process != self.Process && kv.Lease != 0 {
			// Only now: revoked before, a predecessor that is alive after all could come between.
			c.log.Info("replaced the record of a predecessor", "process", old.Process)
			return c.o.Store.Revoke(ctx, kv.Lease)
		}
		if ok {
			return nil
		}
	}
	return &store.UnavailableError{Op: "register", Hint: "is another process running under the name of this node?"}
}

// standBack gives up everything to the process that took this node's name.
func (c *Cluster) standBack() {
	c.log.Error("another process runs under this node's name; this one gives up its streams", "node", c.o.Self.Name)
	c.mu.Lock()
	c.usurped = true
	var held []*Ownership
	for _, o := range c.held {
		held = append(held, o)
	}
	c.mu.Unlock()
	for _, o := range held {
		c.lose(o, StreamRecord{Name: o.name})
	}
}
