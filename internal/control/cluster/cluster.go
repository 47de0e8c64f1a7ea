package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// Cluster is one node's membership. Its methods are safe for any number of goroutines.
type Cluster struct {
	// Static after New.
	o       Options
	keys    keys
	log     *slog.Logger
	ctx     context.Context // ends at Close
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	view    *view
	health  health
	missing missing
	flight  singleflight.Group // linearizable reads of owners, by key

	// Doorbells: one waiting ring is enough.
	wakeSession    bell // the node record changed
	dropLease      bell // a call said that the lease is gone
	wakeWatcher    bell // the view must be made anew
	wakeReconciler bell // something held differs from what is stored
	wakeSharer     bell // what this node has at servers that are no nodes may have changed

	asked chan admission // for the sharer

	registered chan struct{} // closed after the first registration
	refused    chan error    // the name is another's: there will be no registration

	incGate gate // one look at the incarnation at a time; before mu

	mu        sync.Mutex
	rand      *rand.Rand
	closed    bool
	usurped   bool // another process has this node's name
	everIn    bool // this process has registered before
	self      NodeRecord
	lease     store.LeaseID // 0: none
	leaseLost time.Time     // when the last one ended; zero: none has
	seen      seen
	incRev    int64  // revision of the incarnation's key: a condition of every claim
	back      uint64 // an incarnation under which the store went back
	newest    write  // of this node's own
	secret    []byte
	load      Load
	place     func() map[string]Placed // nil: nothing is shared
	held      map[stream.Name]*Ownership
	releases  map[string]stream.Name     // claims whose record is still to be deleted
	pulls     map[stream.Name]bool       // carried now
	written   map[stream.Name]pullRecord // pull records that there are, or may be
}

// New checks the options; nothing runs before Start.
func New(o Options) (*Cluster, error) {
	if o.Store == nil {
		return nil, errors.New("cluster: no store")
	}
	if o.Self.Name == "" {
		return nil, errors.New("cluster: the node has no name")
	}
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Self.Process == "" {
		o.Self.Process = randomID()
	}
	if o.Self.State == "" {
		o.Self.State = StateUp
	}
	c := &Cluster{
		o: o, keys: keys{o.Prefix}, log: o.Logger, rand: o.Rand, self: o.Self,
		view: newView(o.Now), missing: missing{nodes: map[string]missedNode{}},
		wakeSession: newBell(), dropLease: newBell(), wakeWatcher: newBell(), wakeReconciler: newBell(),
		wakeSharer: newBell(), asked: make(chan admission),
		incGate: newGate(), registered: make(chan struct{}), refused: make(chan error, 1),
		held: map[stream.Name]*Ownership{}, releases: map[string]stream.Name{},
		pulls: map[stream.Name]bool{}, written: map[stream.Name]pullRecord{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if len(o.Secret) > 0 {
		c.secret = slices.Clone(o.Secret)
	}
	if o.Highest != nil {
		h, err := o.Highest.Load()
		if err != nil {
			return nil, fmt.Errorf("cluster: highest incarnation: %w", err)
		}
		c.seen.incarnation = h
	}
	return c, nil
}

// Start joins the cluster: it returns when the node is registered and the view
// is complete, or with the last error when ctx or 10 s are over, or with a [*NameTakenError] if
// another process lives under this node's name. After an error the Cluster is closed.
func (c *Cluster) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := c.retry(ctx, func() error { return c.prepare(ctx) })
	if err == nil {
		c.wg.Go(c.session)
		c.wg.Go(c.watcher)
		c.wg.Go(c.reporter)
		c.wg.Go(c.reconciler)
		c.wg.Go(c.sharer)
		err = c.joined(ctx)
	}
	if err != nil {
		c.Close()
		return fmt.Errorf("cluster: joining: %w", err)
	}
	return nil
}

// joined waits for the registration and the view.
func (c *Cluster) joined(ctx context.Context) error {
	for _, done := range []<-chan struct{}{c.registered, c.view.synced} {
		select {
		case <-done:
		case err := <-c.refused:
			return err
		case <-ctx.Done():
			if err := c.health.lastError(); err != nil {
				return err
			}
			return ctx.Err()
		}
	}
	return nil
}

// prepare settles what must be known before anything is written.
func (c *Cluster) prepare(ctx context.Context) error {
	if err := c.checkIncarnation(ctx); err != nil {
		return err
	}
	return c.settleSecret(ctx)
}

// retry tries until it succeeds, the store gives a final answer, or ctx ends.
func (c *Cluster) retry(ctx context.Context, try func() error) error {
	for n := 0; ; n++ {
		err := try()
		if !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		select {
		case <-time.After(c.backoff(n)):
		case <-ctx.Done():
			return err
		}
	}
}

// begin counts work that Close waits for, and reports false after Close.
func (c *Cluster) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wg.Add(1)
	}
	return !c.closed
}

// Close leaves the cluster: the node's lease is revoked, so that its records are gone at once.
// It waits for the goroutines, and for the store no longer than one call.
func (c *Cluster) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	lease, self := c.lease, c.self
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	c.view.close()
	if lease == 0 || c.health.isDown() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	// So that the others know why the record goes. Best effort: it goes anyway.
	self.State = StateLeaving
	_, _ = c.o.Store.Put(ctx, c.keys.node(self.Name), encode(self), lease)
	return c.o.Store.Revoke(ctx, lease)
}

// Self is this node's record as it is now.
func (c *Cluster) Self() NodeRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.self
}

// SetSelf changes this node's record (its state, say) and has it written soon. Name,
// Process and Started stay.
func (c *Cluster) SetSelf(change func(*NodeRecord)) {
	c.mu.Lock()
	old := c.self
	change(&c.self)
	c.self.Name, c.self.Process, c.self.Started = old.Name, old.Process, old.Started
	c.mu.Unlock()
	c.wakeSession.ring()
}

// Secret is what members prove to each other; known once Start has returned.
func (c *Cluster) Secret() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.secret)
}

// Available reports whether the store answered last time. While it does not,
// answers come from memory and claims are unconfirmed.
func (c *Cluster) Available() bool { return !c.health.isDown() }

// AwaySince is when this node noticed that the store does not answer; zero: it does.
func (c *Cluster) AwaySince() time.Time { return c.health.downSince() }

// Displaced reports whether another process has this node's name: this one has
// given up its streams, is not registered, and claims nothing any more.
func (c *Cluster) Displaced() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usurped
}

// backoff is the pause before try n+1: doubling, and random between half and whole.
func (c *Cluster) backoff(n int) time.Duration {
	d := min(backoffMin<<min(n, 10), backoffMax)
	return d/2 + c.random(d/2)
}

// random returns a duration in [0, d).
func (c *Cluster) random(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.rand.Int64N(int64(d)))
}
