package place

import (
	"fmt"
	"strings"
)

// Word says why a server was chosen or rejected; it is stable, for the API and logs.
type Word string

// Why a server was chosen.
const (
	LeastLoaded Word = "least loaded"
	BestOfTwo   Word = "less loaded of two drawn"
	Sticky      Word = "had the stream a moment ago"
	HasStream   Word = "least loaded that has the stream"
	NewPull     Word = "least loaded, pulls the stream anew"
	Hashed      Word = "by hash of the name, no loads known"
)

// Why a server was rejected.
const (
	NotUp          Word = "not up"
	WrongRole      Word = "does not take such sessions"
	Excluded       Word = "has just failed"
	FullPublishers Word = "publishers at capacity"
	FullSessions   Word = "sessions at capacity"
	FullEgress     Word = "egress at capacity"
	MoreLoaded     Word = "more loaded"
	NotDrawn       Word = "not drawn"
	AboveMean      Word = "has the stream, above the mean"
	OtherHadIt     Word = "did not have the stream"
	WouldPull      Word = "would have to pull the stream"
)

// Decision is a chosen server.
type Decision struct {
	Node     string
	Why      Word
	Share    float64 // of the server's capacity, with this session
	Mean     float64 // of the eligible servers, with this session; viewers only
	Demand   Load    // what to reserve
	Rejected []Rejection
}

// Rejection is a server that was not chosen.
type Rejection struct {
	Node  string
	Why   Word
	Share float64 // with this session; 0 if it was not looked at
}

// Reason says the decision in words.
func (d *Decision) Reason() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%.1f %% of capacity", d.Node, d.Why, 100*d.Share)
	if d.Mean > 0 {
		fmt.Fprintf(&b, ", mean %.1f %%", 100*d.Mean)
	}
	b.WriteByte(')')
	for i, r := range d.Rejected {
		b.WriteString([]string{"; not ", ", "}[min(i, 1)])
		r.write(&b)
	}
	return b.String()
}

func (r *Rejection) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s", r.Node, r.Why)
	if r.Share > 0 {
		fmt.Fprintf(b, " (%.1f %%)", 100*r.Share)
	}
}

// NoServerError: no server can take the session.
type NoServerError struct{ Rejected []Rejection }

func (e *NoServerError) Error() string {
	if len(e.Rejected) == 0 {
		return "place: no server: the fleet is empty"
	}
	var b strings.Builder
	b.WriteString("place: no server: ")
	for i, r := range e.Rejected {
		if i > 0 {
			b.WriteString(", ")
		}
		r.write(&b)
	}
	return b.String()
}

// reject notes a rejection, with room for all at the first.
func reject(list []Rejection, v *View, c *Candidate, why Word, share float64) []Rejection {
	if list == nil {
		list = make([]Rejection, 0, len(v.Nodes))
	}
	return append(list, Rejection{c.Name, why, share})
}
