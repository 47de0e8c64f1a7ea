package web

import (
	"container/list"
	"hash/maphash"
	"net/http"
	"net/netip"
	"path"
	"sync"
	"time"
)

// affinity remembers which server a client had for a directory, so that a playlist
// and its segments come from one: servers do not number them alike. A directory,
// because nothing else of their paths is sure to be the same. It holds no more than
// affinitySize: who has not asked for longest goes first.
type affinity struct {
	mu    sync.Mutex
	known map[affinityKey]*list.Element
	order list.List // of *affinityEntry, the latest in front
}

// affinityKey is a client and a directory. Many clients share an address, so their
// software counts too.
type affinityKey struct {
	client netip.Addr
	rest   uint64
}

var affinitySeed = maphash.MakeSeed()

func affinityOf(c client, r *http.Request) affinityKey {
	return affinityKey{c.addr, maphash.Comparable(affinitySeed, [2]string{path.Dir(r.URL.Path), r.UserAgent()})}
}

type affinityEntry struct {
	key    affinityKey
	server string
	until  time.Time
}

func (a *affinity) get(k affinityKey, now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.known[k]
	if !ok || e.Value.(*affinityEntry).until.Before(now) {
		return ""
	}
	return e.Value.(*affinityEntry).server
}

func (a *affinity) put(k affinityKey, server string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = make(map[affinityKey]*list.Element)
	}
	if e, ok := a.known[k]; ok {
		x := e.Value.(*affinityEntry)
		x.server, x.until = server, now.Add(affinityFor)
		a.order.MoveToFront(e)
		return
	}
	a.known[k] = a.order.PushFront(&affinityEntry{k, server, now.Add(affinityFor)})
	for last := a.order.Back(); a.order.Len() > affinitySize || last.Value.(*affinityEntry).until.Before(now); last = a.order.Back() {
		delete(a.known, last.Value.(*affinityEntry).key)
		a.order.Remove(last)
	}
}
