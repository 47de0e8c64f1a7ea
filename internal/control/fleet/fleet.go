package fleet

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
	"weir/internal/stream"
)

// Members is what the fleet asks of the cluster.
type Members interface {
	Nodes() []cluster.Node
	Pulls(stream.Name) []string
	Known(stream.Name) (cluster.StreamRecord, bool) // from memory
}

// Options of a Fleet; the zero value is the defaults.
type Options struct {
	Self      string        // this node's name
	Publish   place.Policy  // "" is least_load
	View      place.Policy  // "" is pull_aware
	SlowStart time.Duration // in which a new server warms up; 0 is not at all
	Zone      string        // whose servers are preferred while they have room; "" is none
	// Sticky is the grace in which a publisher that has left goes back to the server it had; 0 is
	// DefaultSticky, below 0 is none.
	Sticky time.Duration
	// SourceSticky is how long after its last session a client's address goes to the same server; 0 is not at all.
	SourceSticky time.Duration
	// Admit lets a publisher in at a foreign server if with it all fronts have at most limit there; it may wait for the store,
	// which [Fleet.Publisher] then does too.
	// Once granted has been called, which it may be from another goroutine, [Fleet.Placed] counts the publisher. Nil: this front is alone.
	Admit func(server string, limit int, granted func()) error
	// Backends are the servers that are no nodes; nil: there are none.
	Backends *Backends
}

// Fleet chooses servers.
type Fleet struct {
	members  Members
	backends *Backends
	o        Options
	start    time.Time // place's times are since then

	mu      sync.Mutex
	rng     *rand.Rand
	index   *place.Index
	known   map[string]*member
	foreign int           // of them, those that are no nodes and serve viewers
	synced  time.Duration // when the index was last compared with the members; -1 if never
	deaf    [2][]place.ID // that cannot be spoken to by RTMP, by HTTP
	sticky  *place.Sticky // by stream, of publishers
	sources *place.Sticky // by sourceKey
	recent  recent
	sent    sent    // by stream, of publishers that have left
	traffic traffic // of publishers, as of the last sync
	past    past
	budget  budget
	refused [2]place.Cause // what viewers, publishers were last refused for
	stale   bool           // others are known to have more than the index has
}

// New returns a Fleet over the cluster's members with the default policies.
func New(m Members, rng *rand.Rand) *Fleet {
	f, err := NewWith(m, rng, Options{})
	if err != nil {
		panic(err) // the defaults are policies
	}
	return f
}

// NewWith returns a Fleet. The error is a *place.PolicyError.
func NewWith(m Members, rng *rand.Rand, o Options) (*Fleet, error) {
	x, err := place.NewIndex(place.Options{Publish: o.Publish, View: o.View})
	if err != nil {
		return nil, err
	}
	if o.Sticky == 0 {
		o.Sticky = DefaultSticky
	}
	if o.Backends == nil {
		o.Backends = NewBackends(BackendOptions{})
	}
	return &Fleet{members: m, backends: o.Backends, o: o, start: time.Now(), rng: rng, index: x, known: map[string]*member{}, synced: -1,
		sticky: place.NewSticky(stickySize), sources: place.NewSticky(sourcesSize)}, nil
}

// Publisher chooses who takes a publisher. The error is a *place.NoServerError.
//
// It waits for Options.Admit if it has chosen a foreign server that takes a limited number, and again for the next choice if that
// one turns out to be full. The store's answer takes milliseconds; if it does not come, [cluster.Cluster.Admit] lets the publisher in
// after half a second, or one second behind a write that is under way.
func (f *Fleet) Publisher(r Request) (Choice, error) {
	for try := 0; ; try++ {
		c, err := f.choose(f.publish(r))
		if err != nil || c.limit == 0 || f.o.Admit(c.Node, c.limit, c.granted) == nil {
			return c, err
		}
		c.Done(false)
		f.mu.Lock()
		f.stale = true
		f.mu.Unlock()
		if try >= admitTries {
			r.Never = append(slices.Clip(r.Never), c.Node)
		}
	}
}

// WouldTake is Publisher for who only wants to know: the other fronts are not asked. Done is to follow all the same.
func (f *Fleet) WouldTake(r Request) (Choice, error) { return f.choose(f.publish(r)) }

// Viewer chooses who serves a viewer: of a stream that the cluster has, an edge, or without any a node
// that takes publishers; of one that a foreign server has, that one, or one that shares with it; of one that nobody is
// known to have, a foreign server if there is one, else a node. The error is a *place.NoServerError.
func (f *Fleet) Viewer(r Request) (Choice, error) { return f.choose(f.view(r)) }

// Left notes that a publisher has left a server, so that it goes back there if it returns within
// the grace.
func (f *Fleet) Left(name stream.Name, server string) {
	if f.o.Sticky < 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sticky.Put(name.String(), server, time.Since(f.start)+f.o.Sticky)
}

// Opening is how many sessions have been sent to a server that is no node and have neither begun nor failed.
func (f *Fleet) Opening(server string) (n int) {
	now := time.Since(f.start)
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.known[server]; m != nil {
		for _, at := range m.pending {
			if at > now-reserveFor {
				n++
			}
		}
	}
	return n
}

// Route says where a session would go now, and why not to each of the others. It reserves nothing. The
// error is a *place.NoServerError.
func (f *Fleet) Route(r Request, publish bool) (place.Explanation, error) {
	q := f.view
	if publish {
		q = f.publish
	}
	asked := q(r)
	now := time.Since(f.start)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sync(now)
	d, ok := f.decide(asked, now)
	if !ok {
		return place.Explanation{}, &place.NoServerError{Rejected: f.explain(asked, nil)}
	}
	return place.Explanation{Decision: d, Rejected: f.explain(asked, &d)}, nil
}
