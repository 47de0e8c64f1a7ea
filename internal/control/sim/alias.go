package sim

import (
	"math"
	"math/rand/v2"
)

// alias draws from a fixed distribution in constant time (Walker, Vose): each column holds
// a value and, above a threshold, another.
type alias struct {
	cols []aliasColumn
}

type aliasColumn struct {
	below uint32 // of 2^32: the column's own value
	other uint32
}

func newAlias(weights []float64) *alias {
	n := len(weights)
	total := 0.0
	for _, w := range weights {
		total += w
	}
	scaled := make([]float64, n)
	var small, large []int
	for i, w := range weights {
		scaled[i] = w / total * float64(n)
		if scaled[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	a := &alias{make([]aliasColumn, n)}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.cols[s] = aliasColumn{uint32(scaled[s] * (1 << 32)), uint32(l)}
		if scaled[l] -= 1 - scaled[s]; scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		a.cols[i] = aliasColumn{math.MaxUint32, uint32(i)}
	}
	return a
}

func (a *alias) draw(rng *rand.Rand) uint32 {
	x := rng.Uint64()
	col := uint32(x >> 32 * uint64(len(a.cols)) >> 32)
	if c := a.cols[col]; uint32(x) >= c.below {
		return c.other
	}
	return col
}
