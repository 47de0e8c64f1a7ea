package fleet

import (
	"net/netip"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// Outcome is what came of a decision.
type Outcome string

const (
	Pending Outcome = "pending"
	Took    Outcome = "ok"
	DidNot  Outcome = "failed"  // the server did not take the session
	Refused Outcome = "refused" // nobody could be chosen
)

// Past is a decision that was made, with why.
type Past struct {
	Seq     uint64 // from 1, without gaps
	At      time.Time
	Name    stream.Name
	Publish bool
	Source  netip.Addr // the client's; zero if it was not known
	Server  string     // "" if nobody could be chosen
	Why     place.Word
	Share   float64
	Mean    float64
	Exclude []string // servers that had just failed
	Outcome Outcome
	// Near are the servers that came nearest, Rest how many others there were for each reason.
	Near []place.Rejection
	Rest []place.Tally
	// Brief: there were too many decisions at that moment to look at everybody for each.
	Brief bool
	cause place.Cause // of a brief refusal
}

// Reason says it in words.
func (p *Past) Reason() string {
	if p.Server == "" {
		return (&place.NoServerError{Rejected: p.Near, Rest: p.Rest, Brief: p.cause}).Error()
	}
	e := place.Explanation{Decision: place.Decision{Node: p.Server, Why: p.Why, Share: p.Share, Mean: p.Mean}}
	if len(p.Rest) == 0 {
		e.Rejected = p.Near
	}
	return e.Reason()
}

// past is a ring of the last decisions. It belongs to its Fleet's lock.
type past struct {
	ring []Past // by Seq-1 modulo its size, once it is full
	seq  uint64
}

func (p *past) add(d Past) uint64 {
	p.seq++
	d.Seq = p.seq
	if len(p.ring) < pastSize {
		p.ring = append(p.ring, d)
	} else {
		p.ring[(p.seq-1)%pastSize] = d
	}
	return p.seq
}

// outcome notes what came of a decision; false if that was known, or is too long ago.
func (p *past) outcome(seq uint64, ok bool) bool {
	d := &p.ring[(seq-1)%pastSize]
	if d.Seq != seq || d.Outcome != Pending {
		return d.Seq != seq // forgotten: nobody can say that it was known
	}
	d.Outcome = DidNot
	if ok {
		d.Outcome = Took
	}
	return true
}

// decided is the record of a decision, before it is reserved. It needs f.mu.
func (f *Fleet) decided(q *question, d *place.Decision, now time.Duration) Past {
	p := q.record(Pending)
	p.Server, p.Why, p.Share, p.Mean = d.Node, d.Why, d.Share, d.Mean
	if p.Brief = !f.budget.take(f.index.Len(), now); p.Brief {
		return p
	}
	p.Near, p.Rest = f.summarize(q, d, now)
	return p
}

func (q *question) record(o Outcome) Past {
	return Past{At: time.Now(), Name: q.name, Publish: q.publish, Source: q.source, Exclude: q.exclude, Outcome: o}
}

// PastQuery chooses past decisions; zero fields choose all.
type PastQuery struct {
	App, Stream string
	Publish     *bool
	Server      string
	Outcome     Outcome
	Before      uint64 // Seq below it: for the next page
	Limit       int    // 0 is all
}

// Decisions returns past decisions, the newest first.
func (f *Fleet) Decisions(q PastQuery) []Past {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Past
	for i := range len(f.past.ring) {
		d := &f.past.ring[(f.past.seq-1-uint64(i))%pastSize]
		switch {
		case q.App != "" && q.App != d.Name.App, q.Stream != "" && q.Stream != d.Name.Stream,
			q.Publish != nil && *q.Publish != d.Publish, q.Server != "" && q.Server != d.Server,
			q.Outcome != "" && q.Outcome != d.Outcome, q.Before > 0 && d.Seq >= q.Before:
			continue
		}
		if out = append(out, *d); q.Limit > 0 && len(out) == q.Limit {
			break
		}
	}
	return out
}

// budget bounds what explanations of a large fleet cost.
type budget struct {
	until time.Duration
	left  int // servers that may be looked at until then
}

func (b *budget) take(servers int, now time.Duration) bool {
	if now >= b.until {
		b.until, b.left = now+time.Second, explainBudget
	}
	if servers > explainUpTo {
		b.left -= servers
	}
	return b.left >= 0
}
