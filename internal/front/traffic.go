package front

import (
	"sync/atomic"

	"weir/internal/front/splice"
	"weir/internal/media/relay"
)

// present counts the sessions of one kind that go on behind this front now.
type present struct{ carried, spliced atomic.Int64 }

func (p *present) by(spliced bool) *atomic.Int64 {
	if spliced {
		return &p.spliced
	}
	return &p.carried
}

func (p *present) all() int { return int(p.carried.Load() + p.spliced.Load()) }

// Present is how many sessions go on behind this front now.
type Present struct{ Carried, Spliced int }

func (p *present) now() Present { return Present{int(p.carried.Load()), int(p.spliced.Load())} }

// Present are the publishers and the viewers by how they go on.
func (f *Front) Present() (publishers, viewers Present) { return f.publishers.now(), f.viewers.now() }

// Bytes are what has come from the servers behind and gone to them, of carried and spliced sessions. Neither
// ever falls. What the clients send and get is their sessions'.
func (f *Front) Bytes() (in, out int64) { return f.traffic.Bytes() }

// trafficTo is where a connection to b counts. Not at all, if b is this node: that is on no wire, and the
// session at its other end is known as the node's own.
func (f *Front) trafficTo(b *Backend) *relay.Traffic {
	if !b.Foreign && b.Node == f.o.Node {
		return nil
	}
	return &f.traffic
}

// splicedTraffic is a joined session as seen from its server.
type splicedTraffic struct{ s *splice.Session }

func (t splicedTraffic) BytesIn() int64 {
	toClient, _ := t.s.Bytes()
	return toClient
}

func (t splicedTraffic) BytesOut() int64 {
	_, toServer := t.s.Bytes()
	return toServer
}
