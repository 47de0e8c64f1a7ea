package node

import (
	"weir/internal/control/cluster"
	"weir/internal/ops/agent"
)

// agentStatus is this node as an HAProxy in front of it is to see it.
func (n *node) agentStatus() agent.Status {
	s := agent.Status{Drain: n.draining()}
	if p := n.displaced(); p != nil {
		s.Down = p.Reason // what is only slow, or without its store, still serves
	}
	if self, ok := n.cluster.Node(n.cfg.Node.Name); ok {
		s.Share = share(&self)
	}
	return s
}

// share is the part of its capacity that a node carries: of what is set, and of the processor, the largest
// counts.
func share(m *cluster.Node) float64 {
	s := m.Load.CPU
	part := func(is, of float64) {
		if of > 0 {
			s = max(s, is/of)
		}
	}
	part(m.Load.EgressBPS, m.Capacity.EgressBPS)
	part(float64(m.Load.Sessions), float64(m.Capacity.Sessions))
	part(float64(m.Load.Publishers), float64(m.Capacity.Publishers))
	return s
}
