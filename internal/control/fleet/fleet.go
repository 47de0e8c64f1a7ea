package fleet

import (
	"math/rand/v2"
	"net/netip"
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
	Publish   place.Policy  // "" is least_load
	View      place.Policy  // "" is pull_aware
	SlowStart time.Duration // in which a new server warms up; 0 is not at all
	Zone      string        // whose servers are preferred while they have room; "" is none
}

// Fleet chooses servers.
type Fleet struct {
	members Members
	o       Options
	start   time.Time // place's times are since then

	mu     sync.Mutex
	rng    *rand.Rand
	index  *place.Index
	known  map[string]*member
	synced time.Duration // when the index was last compared with the members; -1 if never
	sticky *place.Sticky
	recent recent
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
	return &Fleet{members: m, o: o, start: time.Now(), rng: rng, index: x, known: map[string]*member{}, synced: -1,
		sticky: place.NewSticky(stickySize)}, nil
}

// Choice is a chosen server.
type Choice struct {
	Node string
	Addr string // RTMP, host:port
	Why  string
	// Done ends the reservation early when ok is false: nothing came of it.
	Done func(ok bool)
}

// Request is what a server is wanted for.
type Request struct {
	Name    stream.Name
	Source  netip.Addr // the client's, for source_hash; zero if it is not known
	Exclude []string   // names of servers that have just failed
}

// Publisher chooses an origin. The error is a *place.NoServerError.
func (f *Fleet) Publisher(r Request) (Choice, error) {
	return f.choose(&question{name: r.Name, source: r.Source, exclude: r.Exclude, publish: true})
}

// Viewer chooses an edge; without any, a node that takes publishers serves too. The error is a *place.NoServerError.
func (f *Fleet) Viewer(r Request) (Choice, error) {
	q := f.view(r.Name, r.Exclude)
	q.source = r.Source
	return f.choose(q)
}

// Left notes that a publisher has left a node, so that it goes back there if it returns within
// the grace.
func (f *Fleet) Left(name stream.Name, node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sticky.Put(name.String(), node, time.Since(f.start)+stickyFor)
}

// Route says where a session would go now, and why not to each of the others. It reserves nothing. The
// error is a *place.NoServerError.
func (f *Fleet) Route(name stream.Name, publish bool) (place.Explanation, error) {
	q := &question{name: name, publish: true}
	if !publish {
		q = f.view(name, nil)
	}
	now := time.Since(f.start)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sync(now)
	d, err := f.decide(q, now)
	if err != nil {
		return place.Explanation{}, err
	}
	return place.Explanation{Decision: d, Rejected: f.explain(q, &d)}, nil
}

// question is a request in names.
type question struct {
	name     stream.Name
	source   netip.Addr
	publish  bool
	exclude  []string
	carriers []string
	bitrate  float64 // bits per second, 0 if not known
}

func (f *Fleet) view(name stream.Name, exclude []string) *question {
	q := &question{name: name, exclude: exclude, carriers: f.members.Pulls(name)}
	if rec, ok := f.members.Known(name); ok {
		q.carriers, q.bitrate = append(q.carriers, rec.Owner), rec.Facts.BitrateBPS
	}
	return q
}

func (f *Fleet) choose(q *question) (Choice, error) {
	now := time.Since(f.start)
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.synced < 0 || now-f.synced >= syncEvery
	if old {
		f.sync(now)
	}
	d, err := f.decide(q, now)
	if err != nil && !old { // a node may have come this moment
		f.sync(now)
		d, err = f.decide(q, now)
	}
	if err != nil {
		return Choice{}, err
	}
	c := Choice{Node: d.Node, Addr: f.known[d.Node].addr}
	if f.index.Len() <= explainUpTo {
		c.Why = (&place.Explanation{Decision: d, Rejected: f.explain(q, &d)}).Reason()
	} else {
		c.Why = d.Reason()
	}
	ticket := f.index.Reserve(&d, now, now+reserveFor)
	if !q.publish {
		f.recent.add(q.name, d.ID, now)
	}
	c.Done = func(ok bool) {
		if !ok {
			f.mu.Lock()
			f.index.Drop(ticket)
			f.mu.Unlock()
		}
	}
	return c, nil
}

// decide needs f.mu.
func (f *Fleet) decide(q *question, now time.Duration) (place.Decision, error) {
	f.index.Expire(now)
	f.recent.expire(now)
	var d place.Decision
	var ok bool
	if q.publish {
		d, ok = f.index.Publisher(f.publishRequest(q, now), f.rng)
	} else {
		d, ok = f.index.Viewer(f.viewRequest(q), f.rng)
	}
	if !ok {
		return d, &place.NoServerError{Rejected: f.explain(q, nil)}
	}
	return d, nil
}

// explain needs f.mu.
func (f *Fleet) explain(q *question, d *place.Decision) []place.Rejection {
	if q.publish {
		return f.index.ExplainPublisher(f.publishRequest(q, 0), d)
	}
	return f.index.ExplainViewer(f.viewRequest(q), d)
}

func (f *Fleet) publishRequest(q *question, now time.Duration) *place.PublishRequest {
	r := &place.PublishRequest{Name: q.name, BitrateBPS: q.bitrate, Zone: f.o.Zone, Exclude: f.lookup(q.exclude)}
	if q.source.IsValid() {
		r.Source = q.source.String()
	}
	if node, ok := f.sticky.Get(q.name.String(), now); ok {
		r.Sticky, r.HasSticky = f.index.Lookup(node)
	}
	return r
}

func (f *Fleet) viewRequest(q *question) *place.ViewRequest {
	return &place.ViewRequest{Name: q.name, BitrateBPS: q.bitrate, Zone: f.o.Zone, Exclude: f.lookup(q.exclude),
		Carriers: append(f.lookup(q.carriers), f.recent.of(q.name)...)}
}

// lookup translates names; those that are not members have no say.
func (f *Fleet) lookup(names []string) []place.ID {
	ids := make([]place.ID, 0, len(names)+1)
	for _, n := range names {
		if id, ok := f.index.Lookup(n); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
