package place

import (
	"fmt"
	"strings"
)

// NoServerError: no server can take the session.
type NoServerError struct {
	Rejected []Rejection // everybody, or those that came nearest
	Rest     []Tally     // how many others there are for each reason
	// Brief: there were too many such requests to look at everybody for each. It is what an earlier
	// one of a moment ago was answered.
	Brief Cause
}

func (e *NoServerError) Error() string {
	if e.Brief != "" {
		return "place: no server: " + string(e.Brief)
	}
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
	for _, t := range e.Rest {
		fmt.Fprintf(&b, ", %d more: %s", t.Count, t.Why)
	}
	return b.String()
}

// Cause is why nobody can take a session, in one phrase.
type Cause string

const (
	NoServers   Cause = "there is no server"
	AllFull     Cause = "all servers are full"
	NoneHealthy Cause = "no server is healthy"
	AllDrained  Cause = "all servers are drained"
	NoneTakes   Cause = "no server takes such sessions"
)

// Cause sums the reasons up. Of several kinds the one is named that passes soonest: sessions end, servers come
// back, an operator decides.
func (e *NoServerError) Cause() Cause {
	if e.Brief != "" {
		return e.Brief
	}
	if len(e.Rejected) == 0 {
		return NoServers
	}
	found := map[Cause]bool{}
	for i := range e.Rejected {
		found[e.Rejected[i].Why.cause()] = true
	}
	for i := range e.Rest {
		found[e.Rest[i].Why.cause()] = true
	}
	for _, c := range []Cause{AllFull, NoneHealthy, AllDrained} {
		if found[c] {
			return c
		}
	}
	return NoneTakes
}

// cause is what a rejection says of all, if they are all like it.
func (w Word) cause() Cause {
	switch w {
	case FullPublishers, FullSessions, FullEgress:
		return AllFull
	case NotUp, Excluded:
		return NoneHealthy
	case Draining, InMaint:
		return AllDrained
	}
	return NoneTakes
}

// ForClient says it to who wanted the session: nothing of any single server.
func (e *NoServerError) ForClient() string {
	return "No server can take this now: " + string(e.Cause()) + ". Try again."
}
