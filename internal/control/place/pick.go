package place

import "math/rand/v2"

// pick is an eligible server with its share as it would be.
type pick struct {
	c       *Candidate
	share   float64 // with the session
	before  float64 // without
	count   int     // of sessions of the kind: settles equal shares
	carries bool
}

// less prefers the smaller share, then the smaller count, then chance.
func (p pick) less(o pick, rng *rand.Rand) bool {
	switch {
	case p.share != o.share:
		return p.share < o.share
	case p.count != o.count:
		return p.count < o.count
	}
	return rng.Uint64()&1 == 0
}

// least is the index of the best of all; equals have equal chances.
func least(all []pick, rng *rand.Rand) int {
	best, equals := 0, 1
	for i := 1; i < len(all); i++ {
		a, b := all[i], all[best]
		switch {
		case a.share < b.share || a.share == b.share && a.count < b.count:
			best, equals = i, 1
		case a.share == b.share && a.count == b.count:
			if equals++; rng.IntN(equals) == 0 {
				best = i
			}
		}
	}
	return best
}

// picks collects without the heap for small fleets.
type picks struct {
	n     int
	hint  int // how many there may be
	small [32]pick
	large []pick
}

func (p *picks) add(x pick) {
	if p.n < len(p.small) {
		p.small[p.n] = x
	} else {
		if p.large == nil {
			p.large = append(make([]pick, 0, p.hint), p.small[:]...)
		}
		p.large = append(p.large, x)
	}
	p.n++
}

func (p *picks) list() []pick {
	if p.large != nil {
		return p.large
	}
	return p.small[:p.n]
}
