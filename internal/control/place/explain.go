package place

import (
	"cmp"
	"slices"
)

// ExplainPublisher says why each other server was not chosen; of a request that nobody can
// take, d is nil. It describes the Index as it is: ask before anything changes.
func (x *Index) ExplainPublisher(req *PublishRequest, d *Decision) []Rejection {
	var q query
	req.query(&q)
	return x.explain(&q, d)
}

// ExplainViewer is the same for a viewer.
func (x *Index) ExplainViewer(req *ViewRequest, d *Decision) []Rejection {
	var q query
	req.query(&q)
	return x.explain(&q, d)
}

func (x *Index) explain(q *query, d *Decision) []Rejection {
	var out []Rejection
	for i := range x.servers {
		if r, ok := x.rejection(q, d, ID(i)); ok {
			out = append(out, r)
		}
	}
	// Those that could have taken it first.
	slices.SortFunc(out, func(a, b Rejection) int {
		if c := cmp.Compare(min(b.Share, 1e-9), min(a.Share, 1e-9)); c != 0 {
			return c
		}
		return cmp.Compare(a.Node, b.Node)
	})
	return out
}

// rejection says why one server was not chosen; false of the chosen one.
func (x *Index) rejection(q *query, d *Decision, id ID) (Rejection, bool) {
	s := &x.servers[id]
	if !s.used || d != nil && d.ID == id {
		return Rejection{}, false
	}
	why := s.unfit(q.role)
	if why == "" && len(q.only) > 0 && !contains(q.only, id) {
		why = LacksStream
	}
	if why == "" && q.foreign && s.c.Realm == Nodes {
		why = WrongRole
	}
	if why == "" && contains(q.exclude, id) {
		why = Excluded
	}
	if why == "" {
		why = s.full(&q.demand)
	}
	r := Rejection{Node: s.c.Name, Why: why}
	if why == "" && d != nil {
		r.Why, r.Share = x.whyNot(q, d, id), s.with(x.cost(q, id))
	}
	return r, true
}

// whyNot is the reason against a server that could have taken the session.
func (x *Index) whyNot(q *query, d *Decision, id ID) Word {
	if d.zone >= 0 && x.servers[id].zone != d.zone {
		return OtherZone
	}
	if why := x.servers[id].gated(&q.demand); why != "" && x.policy[q.role].gates() {
		return why
	}
	carries := contains(q.carriers, id)
	switch d.Why {
	case WasThere:
		return OtherHadIt
	case HadClient:
		return OtherHadClient
	case BestOfTwo, Drawn:
		if id != d.drawn[0] && id != d.drawn[1] {
			return NotDrawn
		}
	case HasStream, NewPull, LeastLoaded:
		if len(q.only) > 0 || q.role == toViewForeign {
			return MoreLoaded
		}
		if carries && d.Mean > 0 && x.share[id] > (1+Epsilon)*d.Mean {
			return AboveMean
		}
		if d.Why == HasStream && carries {
			return NotPreferred
		}
		if d.Why == HasStream {
			return WouldPull
		}
	case ItsTurn:
		return NotItsTurn
	case FewestOpen:
		return MoreOpen
	case Hashed, HashedBlind, HashedSource:
		return HashElsewhere
	}
	return MoreLoaded
}
