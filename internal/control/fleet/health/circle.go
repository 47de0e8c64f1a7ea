package health

import (
	"fmt"
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

// Fronts are the servers that are fronts themselves, as they said last. They stay so while they are
// down: a circle would look broken to whoever breaks it.
func (c *Checker) Fronts() trail.Trail {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all trail.Trail
	for _, t := range c.targets {
		if t.front != (trail.ID{}) && !slices.Contains(all, t.front) && len(all) < trail.Most {
			all = append(all, t.front)
		}
	}
	return all
}
