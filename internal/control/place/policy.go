package place

import (
	"fmt"
	"slices"
)

// Policy is how a server is chosen; the words are those of the configuration.
type Policy string

// For publishers; least_load is the default. [RoundRobin] and [LeastConnections] are for viewers too.
const (
	LeastLoad        Policy = "least_load"
	RoundRobin       Policy = "round_robin"
	Weighted         Policy = "weighted"
	LeastConnections Policy = "least_connections"
	SourceHash       Policy = "source_hash"
)

// For viewers; pull_aware is the default.
const (
	PullAware   Policy = "pull_aware"
	Random      Policy = "random"
	TwoChoices  Policy = "two_choices"
	Hash        Policy = "hash"
	HashBounded Policy = "hash_bounded"
)

// PublisherPolicies and ViewerPolicies list what can be chosen, the default first.
func PublisherPolicies() []Policy {
	return []Policy{LeastLoad, RoundRobin, Weighted, LeastConnections, SourceHash}
}

func ViewerPolicies() []Policy {
	return []Policy{PullAware, Random, TwoChoices, LeastConnections, RoundRobin, Hash, HashBounded}
}

// PolicyError is a policy that is not one of those.
type PolicyError struct {
	Policy Policy
	Want   []Policy
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("place: no policy %q, want one of %v", e.Policy, e.Want)
}

func checked(p Policy, list []Policy) (Policy, error) {
	if p == "" {
		return list[0], nil
	}
	if !slices.Contains(list, p) {
		return "", &PolicyError{p, list}
	}
	return p, nil
}

// gates reports whether the policy passes gated servers over. Plain hashing is blind to load:
// that is what it is for.
func (p Policy) gates() bool { return p != Hash && p != SourceHash }

// key orders a server in the heap of a role.
func (x *Index) key(r role, id ID) float64 {
	switch x.policy[r] {
	case LeastConnections:
		return x.connections(id)
	case RoundRobin, Weighted:
		return x.servers[id].turns[r]
	}
	return x.share[id]
}
