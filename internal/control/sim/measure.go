package sim

import (
	"cmp"
	"fmt"
	"math"

	"weir/internal/control/place"
)

// event goes into the hash of the log.
func (e *engine) event(kind, viewer, s uint32, at uint16) {
	e.r.Events++
	h := e.hash ^ (uint64(e.now)<<32 | uint64(kind)<<28 | uint64(at))
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	h ^= uint64(viewer)<<32 | uint64(s)
	e.hash = (h ^ h>>29) * 0xbf58476d1ce4e5b9
}

// fewest is the lower bound of pulls for the audiences as they are, no edge above (1+ε) of the mean.
func (e *engine) fewest() int {
	capacity, egress := 0.0, 0.0
	for i := range e.edges {
		if x := &e.edges[i]; x.condition != dead {
			capacity += x.capacity
			egress += x.load.EgressBPS
		}
	}
	if capacity == 0 {
		return 0
	}
	largest := 0.0
	for i := range e.edges {
		largest = max(largest, e.edges[i].capacity)
	}
	perEdge := (1 + place.Epsilon) * egress / capacity * largest
	n := 0
	for s, v := range e.audience.streams {
		if v > 0 {
			n += int(math.Ceil(float64(v) * e.bitrates[s] / perEdge))
		}
	}
	return n
}

func (e *engine) sample() Sample {
	s := Sample{Seconds: float64(e.now) * tick.Seconds(), Viewers: e.viewers, Pulls: e.audience.pulls, Refused: e.r.Refused, full: e.now >= e.full}
	capacity, egress, most := 0.0, 0.0, 0.0
	for i := range e.edges {
		if x := &e.edges[i]; x.condition != dead {
			capacity += x.capacity
			egress += x.load.EgressBPS
			most = max(most, x.share())
		}
	}
	if egress > 0 {
		s.MeanShare = egress / capacity
		s.MaxOverMean = most / s.MeanShare
		s.PullRatio = float64(s.Pulls) / float64(max(e.fewest(), 1))
	}
	return s
}

func (e *engine) finish() {
	r := &e.r
	s := e.sample()
	r.Samples = append(r.Samples, s)
	r.Policy = cmp.Or(e.c.Policy, place.PullAware)
	r.EventHash = fmt.Sprintf("%016x", e.hash)
	r.Viewers, r.Pulls, r.FewestPulls = e.viewers, s.Pulls, e.fewest()
	r.PullRatio, r.MaxOverMean = s.PullRatio, s.MaxOverMean
	for i := range e.edges {
		if e.edges[i].condition != dead {
			r.Edges++
		}
	}
	n := 0.0
	for _, s := range r.Samples {
		if !s.full {
			continue
		}
		n++
		r.MeanPulls += float64(s.Pulls)
		r.MeanPullRatio += s.PullRatio
		r.MeanMaxOver += s.MaxOverMean
		r.PeakPullRatio = max(r.PeakPullRatio, s.PullRatio)
		r.PeakMaxOver = max(r.PeakMaxOver, s.MaxOverMean)
	}
	r.MeanPulls, r.MeanPullRatio, r.MeanMaxOver = r.MeanPulls/n, r.MeanPullRatio/n, r.MeanMaxOver/n
	switch r.Policy {
	case place.Random, place.TwoChoices, place.LeastConnections, place.RoundRobin:
		r.Expected = ObliviousPulls(e.audiences, e.c.Edges)
	case place.Hash:
		r.Expected = ActiveStreams(e.audiences)
	case place.PullAware:
		r.Expected = FewestPulls(e.audiences, (1+place.Epsilon)*float64(e.c.Viewers)/float64(e.c.Edges))
	}
}
