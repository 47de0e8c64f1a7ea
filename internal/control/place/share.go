package place

import "cmp"

// share is the load as a part of the capacity, of whatever binds first.
func share(c *Candidate, l Load) float64 {
	return max(
		l.EgressBPS/cmp.Or(c.Capacity.EgressBPS, assumedEgressBPS),
		// Nobody states an ingress capacity: interfaces are symmetric.
		l.IngressBPS/cmp.Or(c.Capacity.EgressBPS, assumedEgressBPS),
		l.CPU,
		float64(l.Sessions)/float64(cmp.Or(c.Capacity.Sessions, assumedSessions)),
		float64(l.Publishers)/float64(cmp.Or(c.Capacity.Publishers, assumedPublishers)),
		float64(l.Joins)/assumedJoins,
	)
}

// overfull names the set capacity that the load exceeds. The processor is not
// one: it is shared with others, and slow beats refused.
func overfull(c *Candidate, l Load) Word {
	switch {
	case c.Capacity.Publishers > 0 && l.Publishers > c.Capacity.Publishers:
		return FullPublishers
	case c.Capacity.Sessions > 0 && l.Sessions > c.Capacity.Sessions:
		return FullSessions
	case c.Capacity.EgressBPS > 0 && l.EgressBPS > c.Capacity.EgressBPS:
		return FullEgress
	}
	return ""
}
