package place

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// leastLoad gives a publisher to the origin whose dominant share is least with it.
//
// Wins: streams differ in bitrate and servers in size; what binds first is found
// by itself. With reservations one balancer stays within a tenth of a per cent of even.
//
// Loses: several balancers on reports of the same age would all take the same best
// server, which peaks at 1 + servers × age / session length. So with several, the better of two drawn
// at random: 1 + 2 × age / session length, at some tenths of a per cent of evenness.
//
// Among equals, fewest publishers, then chance: an idle fleet fills evenly too.
func leastLoad(v *View, req *PublishRequest, rng *rand.Rand) (Decision, error) {
	bitrate := cmp.Or(req.BitrateBPS, DefaultBitrateBPS)
	// One publisher in, and at least one pull out.
	demand := Load{IngressBPS: bitrate, EgressBPS: bitrate, Sessions: 1, Publishers: 1}
	var rejected []Rejection
	eligible := picks{hint: len(v.Nodes)}
	for i := range v.Nodes {
		c := &v.Nodes[i]
		after := c.Load.plus(v.Reserved.Of(c.Name)).plus(demand)
		why := unfit(c, c.Publishes, req.Exclude)
		if why == "" {
			why = overfull(c, after)
		}
		if why != "" {
			rejected = reject(rejected, v, c, why, 0)
			continue
		}
		eligible.add(pick{c: c, share: share(c, after), count: after.Publishers})
	}
	if eligible.n == 0 {
		return Decision{}, &NoServerError{rejected}
	}
	all := eligible.list()
	best, why := 0, LeastLoaded
	sticky := slices.IndexFunc(all, func(p pick) bool { return p.c.Name == req.Sticky })
	drawn := [2]int{-1, -1}
	switch {
	case req.Sticky != "" && sticky >= 0:
		best, why = sticky, Sticky
	case v.Deciders > 1 && len(all) > 2:
		drawn[0] = rng.IntN(len(all))
		drawn[1] = (drawn[0] + 1 + rng.IntN(len(all)-1)) % len(all)
		best, why = drawn[0], BestOfTwo
		if all[drawn[1]].less(all[best], rng) {
			best = drawn[1]
		}
	default:
		best = least(all, rng)
	}
	for i, p := range all {
		switch {
		case i == best:
		case why == Sticky:
			rejected = reject(rejected, v, p.c, OtherHadIt, p.share)
		case why == BestOfTwo && i != drawn[0] && i != drawn[1]:
			rejected = reject(rejected, v, p.c, NotDrawn, p.share)
		default:
			rejected = reject(rejected, v, p.c, MoreLoaded, p.share)
		}
	}
	return Decision{Node: all[best].c.Name, Why: why, Share: all[best].share, Demand: demand, Rejected: rejected}, nil
}

// unfit names what keeps a server out, whatever its load.
func unfit(c *Candidate, role bool, exclude []string) Word {
	switch {
	case !c.Up:
		return NotUp
	case !role:
		return WrongRole
	case slices.Contains(exclude, c.Name):
		return Excluded
	}
	return ""
}
