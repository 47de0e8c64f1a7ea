package fleet

import (
	"maps"

	"weir/internal/stream"
)

// left is what a backend that is gone has of this node still. Discovery forgets servers and names them again a moment later;
// their sessions run all the while, and one that takes two publishers must not be given two more.
type left struct {
	counters *Counters
	carried  map[stream.Name]int
}

// leave keeps what a backend that is removed has. It needs b.mu.
func (b *Backends) leave(x *backend) {
	if x.Counters.Sessions() > 0 {
		b.gone[x.Name] = left{x.Counters, maps.Clone(x.carried)}
	}
}

// back gives one that is named again what it had. It needs b.mu.
func (b *Backends) back(x *backend) {
	l, ok := b.gone[x.Name]
	if !ok {
		return
	}
	delete(b.gone, x.Name)
	if l.counters.Sessions() <= 0 {
		return
	}
	x.Counters = l.counters
	for s, n := range l.carried {
		x.carried[s] = n
		b.index(x, s, false)
	}
}

// forget drops those whose last session has ended. It needs b.mu.
func (b *Backends) forget() {
	for name, l := range b.gone {
		if l.counters.Sessions() <= 0 {
			delete(b.gone, name)
		}
	}
}

// carry counts a publisher of a stream that comes, or with n < 0 goes.
func carry(carried map[stream.Name]int, s stream.Name, n int) {
	if carried[s] += n; carried[s] <= 0 {
		delete(carried, s)
	}
}
