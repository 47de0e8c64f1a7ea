package place

import (
	"fmt"
	"strings"
)

// Word says why a server was chosen or rejected; it is stable, for the API and logs.
type Word string

// Why a server was chosen.
const (
	LeastLoaded  Word = "least loaded"
	BestOfTwo    Word = "less loaded of two drawn"
	WasThere     Word = "had the stream a moment ago"
	HadClient    Word = "had the client a moment ago"
	HasStream    Word = "has the stream"
	NewPull      Word = "least loaded, pulls the stream anew"
	HashedBlind  Word = "by hash of the name, no loads known"
	Hashed       Word = "by hash of the name"
	HashedSource Word = "by hash of the client's address"
	ItsTurn      Word = "its turn"
	FewestOpen   Word = "fewest sessions for its weight"
	Drawn        Word = "drawn"
)

// Why a server was rejected.
const (
	NotUp          Word = "not up"
	Draining       Word = "draining"
	InMaint        Word = "in maintenance"
	WrongRole      Word = "does not take such sessions"
	CannotGet      Word = "cannot get the stream"
	LacksStream    Word = "does not have the stream"
	Excluded       Word = "has just failed"
	FullPublishers Word = "publishers at capacity"
	FullSessions   Word = "sessions at capacity"
	FullEgress     Word = "egress at capacity"
	ManyJoins      Word = "many joins in flight"
	LikelyFull     Word = "full, with what other balancers have probably sent"
	MoreLoaded     Word = "more loaded"
	MoreOpen       Word = "more sessions for its weight"
	NotDrawn       Word = "not drawn"
	NotItsTurn     Word = "not its turn"
	AboveMean      Word = "has the stream, above the mean"
	OtherHadIt     Word = "did not have the stream"
	OtherHadClient Word = "did not have the client"
	NotPreferred   Word = "has the stream, which prefers another"
	WouldPull      Word = "would have to pull the stream"
	HashElsewhere  Word = "the hash names another"
	OtherZone      Word = "in another zone"
)

// Decision is a chosen server. It holds no pointer into the Index.
type Decision struct {
	ID     ID
	Node   string
	Why    Word
	Share  float64 // of the server's capacity, with this session
	Mean   float64 // of the eligible servers, with this session; pull_aware only
	Demand Load    // what to reserve

	drawn [2]ID
	zone  int32 // that was looked at alone; -1 if all
	turn  bool  // the server's, in this role
	role  role
}

// Reason says the decision in words.
func (d *Decision) Reason() string {
	var b strings.Builder
	d.write(&b)
	return b.String()
}

func (d *Decision) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s (%.1f %% of capacity", d.Node, d.Why, 100*d.Share)
	if d.Mean > 0 {
		fmt.Fprintf(b, ", mean %.1f %%", 100*d.Mean)
	}
	b.WriteByte(')')
}

// Rejection is a server that was not chosen.
type Rejection struct {
	Node  string
	Why   Word
	Share float64 // with this session; 0 if it could not have taken it
}

func (r *Rejection) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s", r.Node, r.Why)
	if r.Share > 0 {
		fmt.Fprintf(b, " (%.1f %%)", 100*r.Share)
	}
}

// Explanation is a decision with everybody who was not chosen.
type Explanation struct {
	Decision
	Rejected []Rejection
}

// Reason says it in words.
func (e *Explanation) Reason() string {
	var b strings.Builder
	e.write(&b)
	for i := range e.Rejected {
		b.WriteString([]string{"; not ", ", "}[min(i, 1)])
		e.Rejected[i].write(&b)
	}
	return b.String()
}
