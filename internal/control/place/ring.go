package place

import (
	"cmp"
	"slices"
	"sort"
)

// Ring is a consistent-hash ring: a server more or less moves only its own share of names.
type Ring struct {
	points []ringPoint // sorted
	names  []string    // sorted
}

type ringPoint struct {
	at   uint64
	node int32 // index in names
}

// NewRing builds the ring of some servers, in whatever order.
func NewRing(names []string) *Ring {
	r := &Ring{names: slices.Sorted(slices.Values(names)), points: make([]ringPoint, 0, ringPoints*len(names))}
	for i, n := range r.names {
		h := hash(0, n)
		for range ringPoints {
			h = mix(h + 0x9e3779b97f4a7c15)
			r.points = append(r.points, ringPoint{h, int32(i)})
		}
	}
	slices.SortFunc(r.points, func(a, b ringPoint) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.node, b.node))
	})
	return r
}

// after is the first point at or after a position, around the end.
func (r *Ring) after(at uint64) int {
	return sort.Search(len(r.points), func(i int) bool { return r.points[i].at >= at }) % len(r.points)
}

// hash is FNV-1a with a finalizer: FNV alone leaves the high bits of short names alike. It must
// never change: balancers of different versions have to agree.
func hash(seed uint64, s string) uint64 {
	h := uint64(0xcbf29ce484222325) ^ mix(seed)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return mix(h)
}

// mix is the finalizer of SplitMix64.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
