package fleet

import (
	"net/netip"
	"slices"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

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

// choose decides, and reserves what was decided. The error is a *place.NoServerError.
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
