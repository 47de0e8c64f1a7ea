package fleet

import (
	"time"

	"weir/internal/control/place"
)

// explain needs f.mu.
func (f *Fleet) explain(q *question, d *place.Decision) []place.Rejection {
	now := time.Since(f.start)
	if q.publish {
		return f.spoken(q, f.index.ExplainPublisher(f.publishRequest(q, now), d))
	}
	return f.spoken(q, f.index.ExplainViewer(f.viewRequest(q, now), d))
}

// summarize is explain in short. It needs f.mu.
func (f *Fleet) summarize(q *question, d *place.Decision, now time.Duration) (near []place.Rejection, rest []place.Tally) {
	if q.publish {
		near, rest = f.index.SummarizePublisher(f.publishRequest(q, now), d, explainUpTo)
	} else {
		near, rest = f.index.SummarizeViewer(f.viewRequest(q, now), d, explainUpTo)
	}
	return f.spoken(q, near), rest
}

// refuse notes that nobody can take a request, and says why: where all is full, that is asked most often, so it has the budget
// of other explanations. It needs f.mu.
func (f *Fleet) refuse(q *question, now time.Duration) *place.NoServerError {
	last := &f.refused[0]
	if q.publish {
		last = &f.refused[1]
	}
	p := q.record(Refused)
	none := &place.NoServerError{Brief: *last}
	p.Brief = *last != "" && !f.budget.take(f.index.Len(), now)
	if !p.Brief {
		none = &place.NoServerError{}
		none.Rejected, none.Rest = f.summarize(q, nil, now)
		*last = none.Cause()
	}
	p.Near, p.Rest, p.cause = none.Rejected, none.Rest, none.Brief
	f.past.add(p)
	return none
}

// noAddress: a server has nothing that listens to such clients.
const noAddress place.Word = "does not speak the client's protocol"

// spoken gives those their own reason that were left out for want of an address. It needs f.mu.
func (f *Fleet) spoken(q *question, rs []place.Rejection) []place.Rejection {
	for i := range rs {
		if r := &rs[i]; r.Why == place.Excluded && !f.known[r.Node].speaks(q.http) {
			r.Why = noAddress
		}
	}
	return rs
}
