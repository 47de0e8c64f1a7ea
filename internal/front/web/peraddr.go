package web

import (
	"net/netip"
	"sync"
)

// perAddr counts what addresses have open.
type perAddr struct {
	mu sync.Mutex
	n  map[netip.Addr]int
}

// enter counts one more of addr, if it has fewer than most.
func (p *perAddr) enter(addr netip.Addr, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n[addr] >= most {
		return false
	}
	if p.n == nil {
		p.n = make(map[netip.Addr]int)
	}
	p.n[addr]++
	return true
}

func (p *perAddr) leave(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n[addr]--; p.n[addr] <= 0 {
		delete(p.n, addr)
	}
}
