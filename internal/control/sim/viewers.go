package sim

// viewer is one viewer. What it costs the fleet follows from its stream and edge.
type viewer struct {
	next   uint32 // in its slot of the wheel, or in the list of free ones; number + 1, 0 for none
	stream uint32
	leaves uint32 // tick
	edge   uint16 // noEdge while it waits to be placed
	_      uint16
}

const noEdge = 0xffff

// crowd is all viewers, and the wheel that knows when each leaves.
type crowd struct {
	all   []viewer
	free  uint32
	slots []uint32 // by tick, modulo
}

func newCrowd(viewers int, span int) *crowd {
	return &crowd{all: make([]viewer, 0, viewers+viewers/32+16), slots: make([]uint32, span+1)}
}

// add makes a viewer that leaves after some ticks, at least one.
func (c *crowd) add(v viewer, now uint32, after int) uint32 {
	after = min(max(after, 1), len(c.slots)-1)
	v.leaves = now + uint32(after)
	i := c.free
	if i == 0 {
		c.all = append(c.all, viewer{})
		i = uint32(len(c.all))
	} else {
		c.free = c.all[i-1].next
	}
	slot := &c.slots[int(v.leaves)%len(c.slots)]
	v.next = *slot
	*slot = i
	c.all[i-1] = v
	return i - 1
}

// due takes the list of those that leave now; the caller walks it and frees each.
func (c *crowd) due(now uint32) uint32 {
	slot := &c.slots[int(now)%len(c.slots)]
	i := *slot
	*slot = 0
	return i
}

func (c *crowd) release(i uint32) {
	c.all[i-1].next = c.free
	c.free = i
}
