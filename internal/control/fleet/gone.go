package fleet

import (
	"cmp"
	"time"

	"weir/internal/control/place"
)

// goneBackend is what a backend that is gone has of this node still. Discovery forgets servers and names them again a moment later;
// their sessions run all the while, and one that takes two publishers must not be given two more.
type goneBackend struct {
	counters *Counters
	carried  *carried
}

// goneKey is a name and where it was: under the same name at another address is another server, which has
// none of it.
type goneKey struct{ name, addr string }

func goneAt(d *Backend) goneKey { return goneKey{d.Name, whereabouts(d)} }

// whereabouts tell a server from another of its name.
func whereabouts(d *Backend) string { return cmp.Or(d.RTMP, d.HTTP) }

// leave keeps what a backend that is removed has. It needs b.mu.
func (b *Backends) leave(x *backend) {
	if x.Counters.Sessions() > 0 {
		b.gone[goneAt(&x.Backend)] = goneBackend{x.Counters, x.carried}
	}
}

// clear takes from x what is known of the server that it was, and keeps what this node has there. What its checks
// have said stays: another address is checked at once. It needs b.mu.
func (b *Backends) clear(x *backend) {
	b.leave(x)
	b.setStreams(x, nil)
	old := x.carried
	old.at, x.carried = nil, newCarried(x)
	for s := range old.streams {
		b.index(x, s, true)
	}
	x.Measured, x.LoadSeen, x.Reported, x.ownThen, x.meter = place.Load{}, time.Time{}, false, place.Load{}, meter{}
}

// back gives one that is named again what it had. It needs b.mu.
func (b *Backends) back(x *backend) {
	key := goneAt(&x.Backend)
	l, ok := b.gone[key]
	if !ok {
		return
	}
	delete(b.gone, key)
	if l.counters.Sessions() <= 0 {
		return
	}
	x.Counters = l.counters
	x.carried = l.carried
	x.carried.at = x
	for s := range x.carried.streams {
		b.index(x, s, false)
	}
}

// lost is what one that is gone has. It needs b.mu.
func (b *Backends) lost(name string) (goneBackend, bool) {
	for key, l := range b.gone {
		if key.name == name {
			return l, true
		}
	}
	return goneBackend{}, false
}

// forget drops those whose last session has ended. It needs b.mu.
func (b *Backends) forget() {
	for key, l := range b.gone {
		if l.counters.Sessions() <= 0 {
			delete(b.gone, key)
		}
	}
}
