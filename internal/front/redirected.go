package front

import (
	"net/netip"
	"sync"
	"time"

	"weir/internal/stream"
)

// redirected remembers who was told to go, and who did not.
type redirected struct {
	sync.Mutex
	told  map[visit]time.Time      // until when a return means no
	stays map[netip.Addr]time.Time // until when the address is served here
}

type visit struct {
	addr netip.Addr
	name stream.Name
}

// answer is what becomes of a client that could be redirected.
type answer uint8

const (
	mayGo    answer = iota
	keepHere        // it has not followed before, or it is not known whether it would
	cameBack        // it was told before and is here again
)

func (r *redirected) ask(addr netip.Addr, name stream.Name, now time.Time) answer {
	r.Lock()
	defer r.Unlock()
	if !addr.IsValid() || now.Before(r.stays[addr]) {
		return keepHere
	}
	v := visit{addr, name}
	if now.Before(r.told[v]) {
		delete(r.told, v)
		r.stay(addr, now)
		return cameBack
	}
	if len(r.told) >= maxRedirected {
		for k, until := range r.told {
			if !now.Before(until) {
				delete(r.told, k)
			}
		}
		if len(r.told) >= maxRedirected {
			return keepHere
		}
	}
	if r.told == nil {
		r.told = make(map[visit]time.Time)
	}
	r.told[v] = now.Add(returnTime)
	return mayGo
}

func (r *redirected) refused(addr netip.Addr, now time.Time) {
	r.Lock()
	defer r.Unlock()
	r.stay(addr, now)
}

// stay needs the lock.
func (r *redirected) stay(addr netip.Addr, now time.Time) {
	if r.stays == nil {
		r.stays = make(map[netip.Addr]time.Time)
	}
	if len(r.stays) >= maxRedirected {
		for k, until := range r.stays {
			if !now.Before(until) {
				delete(r.stays, k)
			}
		}
		for k := range r.stays {
			if len(r.stays) < maxRedirected {
				break
			}
			delete(r.stays, k) // any: it is asked once more
		}
	}
	r.stays[addr] = now.Add(refusedTime)
}
