package fleet

import (
	"math/rand/v2"
	"net/netip"
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

// Choice is a chosen server.
type Choice struct {
	Node     string
	Addr     string // RTMP, host:port
	HTTP     string // host:port; "" if it serves none
	Public   string // RTMP, as clients reach it; "" is Addr
	Foreign  bool   // it is no node of the cluster
	Announce Announce
	Why      string
	// Done ends the reservation early. ok is false if nothing came of it; if true, a session at a
	// foreign server is in its [Counters] by now.
	Done func(ok bool)

	limit   int    // of publishers at a foreign server, of all fronts together; 0: none
	granted func() // they have let it in
}

// Request is what a server is wanted for.
type Request struct {
	Name    stream.Name
	Source  netip.Addr // the client's address; zero if it is not known
	Exclude []string   // names of servers that have just failed: chosen if nobody else can be
	Never   []string   // names of servers that are not chosen in any case
	HTTP    bool       // it will be spoken to by HTTP
	Foreign bool       // of a publisher: no node takes it
	Zone    string     // whose servers are preferred; "" is Options.Zone
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

func (f *Fleet) choose(q *question) (Choice, error) {
	now := time.Since(f.start)
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := f.synced < 0 || f.stale || now-f.synced >= syncEvery
	if fresh {
		f.sync(now)
	}
	d, ok := f.decide(q, now)
	if !ok && !fresh && f.budget.take(f.index.Len(), now) { // a server may have come this moment
		fresh = true
		f.sync(now)
		d, ok = f.decide(q, now)
	}
	if !ok && fresh && len(q.exclude) > 0 {
		// Who failed a moment ago may be back; who is drained, down or gone by now is not chosen here either.
		q.again = true
		if d, ok = f.decide(q, now); !ok {
			q.again = false // they are part of the reason
		}
	}
	if !ok {
		return Choice{}, f.refuse(q, now)
	}
	p := f.decided(q, &d, now)
	m := f.known[d.Node]
	c := Choice{Node: d.Node, Addr: m.addr, HTTP: m.http, Public: m.public, Foreign: m.foreign, Announce: m.announce, Why: p.Reason()}
	seq := f.past.add(p)
	var ticket place.Ticket
	var comes *coming
	if m.foreign {
		ticket = f.index.Reserve(&d, now, now+reserveFor)
		m.pending = append(m.pending, now)
		if q.publish {
			comes = f.comes(&c, m, now)
		}
	} else {
		ticket = f.index.ReserveUntilReport(&d, now, now+reserveFor)
	}
	if !q.publish && q.realm != place.Foreign {
		f.recent.add(q.name, d.ID, now)
	}
	if f.o.SourceSticky > 0 && q.source.IsValid() {
		f.sources.Put(sourceKey(q), d.Node, now+f.o.SourceSticky)
	}
	c.Done = func(ok bool) { f.done(seq, ticket, d, m, comes, now, ok) }
	return c, nil
}

// done hears what came of a decision.
func (f *Fleet) done(seq uint64, t place.Ticket, d place.Decision, m *member, comes *coming, at time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	comes.end()
	if !f.past.outcome(seq, ok) {
		return // said before, or long ago
	}
	if i := slices.Index(m.pending, at); i >= 0 {
		m.pending = slices.Delete(m.pending, i, i+1)
	}
	if !ok {
		f.index.Drop(t)
		return
	}
	if !m.foreign || f.known[d.Node] != m {
		return // a node's report will show it
	}
	// From here on the counters count it. What it will send is in no rate for a while.
	f.index.Drop(t)
	f.count(m)
	d.Demand = place.Load{EgressBPS: d.Demand.EgressBPS, IngressBPS: d.Demand.IngressBPS}
	now := time.Since(f.start)
	f.index.Reserve(&d, now, now+reserveFor)
}

// decide needs f.mu.
func (f *Fleet) decide(q *question, now time.Duration) (place.Decision, bool) {
	f.index.Expire(now)
	f.recent.expire(now)
	q.realm = place.Nodes
	if q.unknown && f.foreign > 0 {
		q.realm = place.Foreign
	} else if len(q.holders) > 0 {
		q.realm = place.Foreign
		if slices.ContainsFunc(q.holders, f.shares) {
			q.realm = place.Shared
		}
	}
	d, ok := f.reach(q, now)
	if !ok && q.unknown && q.realm == place.Foreign {
		q.realm = place.Nodes
		if d, ok = f.reach(q, now); !ok {
			q.realm = place.Foreign // why not there says more
		}
	}
	return d, ok
}

// reach asks the index. It needs f.mu.
func (f *Fleet) reach(q *question, now time.Duration) (place.Decision, bool) {
	if q.publish {
		return f.index.Publisher(f.publishRequest(q, now), f.rng)
	}
	return f.index.Viewer(f.viewRequest(q, now), f.rng)
}
