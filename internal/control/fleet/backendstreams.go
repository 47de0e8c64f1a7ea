package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"weir/internal/stream"
)

// carried are the publishers that this node has at one server, by stream. They outlive its registration, and belong to it again when
// it is back; see goneBackend. Backends.mu guards them.
type carried struct {
	streams map[stream.Name]int
	at      *backend // nil while it is gone
}

func newCarried(at *backend) *carried { return &carried{map[stream.Name]int{}, at} }

// StreamStarted says that this node has put a publisher of a stream there; ended, to be called once, that it is gone from there,
// and not from another server that has the name by then.
func (b *Backends) StreamStarted(name string, s stream.Name) (ended func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := newCarried(nil) // of an unknown server, which nobody reads
	if x := b.all[name]; x != nil {
		c = x.carried
	} else if l, ok := b.lost(name); ok {
		c = l.carried
	}
	b.carry(c, s, 1)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.carry(c, s, -1)
	}
}

// carry counts a publisher of a stream that comes, or with n < 0 goes. It needs b.mu.
func (b *Backends) carry(c *carried, s stream.Name, n int) {
	had := c.at != nil && c.at.hasStream(s)
	if c.streams[s] += n; c.streams[s] <= 0 {
		delete(c.streams, s)
	}
	if c.at != nil {
		b.index(c.at, s, had)
	}
}

// setStreams needs b.mu.
func (b *Backends) setStreams(x *backend, streams []stream.Name) {
	now := make(map[stream.Name]bool, min(len(streams), maxStreams))
	for _, s := range streams[:min(len(streams), maxStreams)] {
		now[s] = true
	}
	old := x.polled
	x.polled = now
	for s := range old {
		if !now[s] {
			b.index(x, s, true)
		}
	}
	for s := range now {
		if !old[s] {
			b.index(x, s, x.carried.streams[s] > 0)
		}
	}
}

func (x *backend) hasStream(s stream.Name) bool { return x.polled[s] || x.carried.streams[s] > 0 }

// index brings b.has up to date for one stream. It needs b.mu.
func (b *Backends) index(x *backend, s stream.Name, had bool) {
	has := x.hasStream(s)
	if has == had {
		return
	}
	list := slices.Clone(b.has[s]) // readers may hold the old one
	i, found := slices.BinarySearch(list, x.Name)
	switch {
	case has && !found:
		list = slices.Insert(list, i, x.Name)
		x.Streams++
	case !has && found:
		list = slices.Delete(list, i, i+1)
		x.Streams--
	}
	if len(list) == 0 {
		delete(b.has, s)
	} else {
		b.has[s] = list
	}
}

// Having returns the names of the backends that are known to have a stream, sorted. The slice is not
// to be changed.
func (b *Backends) Having(s stream.Name) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.has[s]
}

// StreamsOf returns the streams that a backend is known to have, sorted.
func (b *Backends) StreamsOf(name string) []stream.Name {
	b.mu.RLock()
	defer b.mu.RUnlock()
	x := b.all[name]
	if x == nil {
		return nil
	}
	set := maps.Clone(x.polled)
	if set == nil {
		set = map[stream.Name]bool{}
	}
	for s := range x.carried.streams {
		set[s] = true
	}
	return slices.SortedFunc(maps.Keys(set), func(a, c stream.Name) int {
		return cmp.Or(strings.Compare(a.App, c.App), strings.Compare(a.Stream, c.Stream))
	})
}
