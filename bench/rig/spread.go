package rig

import (
	"fmt"
	"slices"
)

// Spread is a median with the least and the greatest of N rounds.
type Spread struct {
	Median, Min, Max float64
	N                int
}

// SpreadOf is that of the values, in any order.
func SpreadOf(v []float64) Spread {
	if len(v) == 0 {
		return Spread{}
	}
	v = slices.Sorted(slices.Values(v))
	mid := len(v) / 2
	m := v[mid]
	if len(v)%2 == 0 {
		m = (v[mid-1] + v[mid]) / 2
	}
	return Spread{m, v[0], v[len(v)-1], len(v)}
}

// Format is the spread as a cell of a table, with so many digits behind the point.
func (s Spread) Format(digits int) string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%.*f", digits, s.Median)
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, s.Median, digits, s.Min, digits, s.Max)
}
