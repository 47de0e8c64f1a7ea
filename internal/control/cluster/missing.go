package cluster

import (
	"maps"
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
	m.purge(now)
}

// purge forgets who has been gone for too long. Needs mu.
func (m *missing) purge(now time.Time) {
	maps.DeleteFunc(m.nodes, func(_ string, n missedNode) bool { return now.Sub(n.since) > missingFor })
}

// Missing lists the nodes, by name, whose records ran out not longer than missingFor ago. The
// registry does not know what they have; they may.
func (c *Cluster) Missing() []NodeRecord {
	m := &c.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	m.purge(c.o.Now())
	var nodes []NodeRecord
	for _, n := range m.nodes {
		nodes = append(nodes, n.NodeRecord)
	}
	slices.SortFunc(nodes, func(a, b NodeRecord) int { return strings.Compare(a.Name, b.Name) })
	return nodes
}
