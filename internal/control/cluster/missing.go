package cluster

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// missing are the nodes that are gone and did not say that they leave: dead, or cut off from the store
// alone, and then they serve what they have.
type missing struct {
	mu    sync.Mutex
	nodes map[string]missedNode
}

type missedNode struct {
	NodeRecord
	since time.Time
}

// note takes a change of the view in.
func (m *missing) note(ch fleetChange, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range ch.gone {
		if n.State != StateLeaving {
			m.nodes[n.Name] = missedNode{n, now}
		}
	}
	for _, n := range ch.up {
		delete(m.nodes, n.Name)
	}
}

// Missing lists the nodes, by name, whose records ran out not longer than missingFor ago. The
// registry does not know what they have; they may.
func (c *Cluster) Missing() []NodeRecord {
	m := &c.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	var nodes []NodeRecord
	for name, n := range m.nodes {
		if c.o.Now().Sub(n.since) > missingFor {
			delete(m.nodes, name)
			continue
		}
		nodes = append(nodes, n.NodeRecord)
	}
	slices.SortFunc(nodes, func(a, b NodeRecord) int { return strings.Compare(a.Name, b.Name) })
	return nodes
}
