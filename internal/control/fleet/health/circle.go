package health

import (
	"fmt"
	"maps"
	"slices"

	"weir/internal/control/fleet"
	"weir/internal/trail"
)

// circle reports a server that would send sessions back here: it is this front, or one that has it
// among its own servers. A front says so in the handshake; see package trail.
func (c *Checker) circle(b *fleet.Backend, said trail.Trail) *Failure {
	if c.o.Own == nil || len(said) == 0 {
		return nil
	}
	if c.o.Own(said[0]) {
		return &Failure{Status: answerBroken, Reason: fmt.Sprintf("%s: this is the front itself, or a node of its cluster: sessions would go round in a circle", b.RTMP)}
	}
	if slices.ContainsFunc(said[1:], c.o.Own) {
		return &Failure{Status: answerBroken, Reason: fmt.Sprintf("%s: a front that has this one among its own servers: sessions would go round in a circle; take one out of the other's front.backends", b.RTMP)}
	}
	return nil
}

// Fronts are the servers that are fronts themselves, as they said last: by their names in order, as many as a mark
// has room for beside this front. They stay so while they are down: a circle would look broken to whoever breaks it.
func (c *Checker) Fronts() trail.Trail {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all trail.Trail
	for _, name := range slices.Sorted(maps.Keys(c.targets)) {
		id := c.targets[name].front
		if id != (trail.ID{}) && !slices.Contains(all, id) && len(all) < trail.Most-1 {
			all = append(all, id)
		}
	}
	return all
}
