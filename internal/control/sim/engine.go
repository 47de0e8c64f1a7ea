package sim

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// engine is one run.
type engine struct {
	c     Config
	world *rand.Rand // arrivals, sessions, phases: the same for all policies
	luck  *rand.Rand // of decisions
	now   uint32     // tick
	full  uint32     // tick at which the fleet is full
	fault uint32
	end   uint32

	names     []stream.Name
	bitrates  []float64
	audiences []float64 // expected
	pick      *alias
	edges     []edge
	crowd     *crowd
	audience  *audience
	fronts    *fronts
	reporters *reporters
	posted    []report  // on their way, by time
	joins     []joining // in flight, by time
	orphans   []orphan  // to be placed again, by time

	viewers     int
	nextArrival float64 // tick
	nextFlash   float64
	flashRate   float64 // a tick; 0 while there is none
	lambda      float64
	hash        uint64
	r           Result
}

type joining struct {
	edge uint16
	ends uint32
}

type orphan struct {
	viewer uint32
	leaves uint32 // tells whether the record is still the same viewer's
	due    uint32
	from   uint16 // the edge it was at, or tried; noEdge if none
	moves  bool   // it had been placed
	dialed bool   // from is an edge that did not answer
}

// Run simulates c until its end or the context's. tell, if not nil, hears of the progress.
// The error is a *ConfigError, a *place.PolicyError or the context's.
func Run(ctx context.Context, c Config, tell func(Progress)) (*Result, error) {
	e, err := newEngine(c)
	if err != nil {
		return nil, err
	}
	every := max(e.end/samples, 1)
	for ; e.now < e.end; e.now++ {
		if e.now%every == 0 {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			s := e.sample()
			e.r.Samples = append(e.r.Samples, s)
			if tell != nil {
				tell(Progress{c.Policy, float64(e.now) / float64(e.end), e.r.Events, s})
			}
		}
		e.step()
	}
	e.finish()
	r := e.r // a pointer into the engine would keep all viewers
	return &r, nil
}

func newEngine(c Config) (*engine, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	span := ticks(c.Session)
	e := &engine{c: c,
		world: rand.New(rand.NewPCG(c.Seed, 1)), luck: rand.New(rand.NewPCG(c.Seed, 2)),
		audiences: Audiences(c.Viewers, c.Streams, c.Zipf),
		crowd:     newCrowd(c.Viewers, horizon*span),
		audience:  newAudience(c.Streams, c.Edges+c.Add, c.Policy == place.PullAware || c.Policy == ""),
		reporters: newReporters(2*ticks(c.ReportEvery) + 2),
		full:      uint32(fillTime * float64(span)),
	}
	e.r.FlashStream = -1
	e.end = e.full + uint32(c.Churn*float64(span)) + 1
	e.fault = e.full + (e.end-e.full)/2
	e.pick = newAlias(e.audiences)
	perEdge := 0.0
	for s := range c.Streams {
		e.names = append(e.names, stream.Name{App: "live", Stream: fmt.Sprint(s)})
		b := c.BitrateBPS
		if c.BitrateSpread > 0 {
			b *= math.Exp(c.BitrateSpread*e.world.NormFloat64() - c.BitrateSpread*c.BitrateSpread/2)
		}
		e.bitrates = append(e.bitrates, b)
		perEdge += b * e.audiences[s] / float64(c.Edges)
	}
	parts := 0.0
	for i := range c.Edges {
		parts += e.part(i)
	}
	e.edges = make([]edge, 0, c.Edges+c.Add)
	unit := perEdge / c.Use * float64(c.Edges) / parts
	for i := range c.Edges {
		e.edges = append(e.edges, edge{capacity: unit * e.part(i)})
	}
	var err error
	if e.fronts, err = newFronts(e); err != nil {
		return nil, err
	}
	for i := range e.edges {
		e.fronts.add(e, i)
	}
	return e, nil
}

func ticks(d time.Duration) int { return int(d / tick) }

// part is an edge's size.
func (e *engine) part(i int) float64 {
	if e.c.Uneven {
		return float64(int(1) << (i % 3))
	}
	return 1
}

// step is one tick: who leaves goes first, so that a front may know.
func (e *engine) step() {
	e.faults()
	e.leave()
	e.joined()
	e.reports()
	if e.audience.listed {
		e.audience.reveal(e.now)
	}
	e.fronts.expire(e.now)
	e.replace()
	e.arrive()
}

// arrive places those who come within this tick. The rate of the fill is such that it ends with the
// expected number: N(F) = r·D·(1−e^(−F/D)).
func (e *engine) arrive() {
	d := float64(ticks(e.c.Session))
	rate := float64(e.c.Viewers) / d
	if e.now < e.full {
		rate /= -math.Expm1(-float64(e.full) / d)
	}
	if rate != e.lambda { // exponential gaps have no memory: draw anew
		e.lambda = rate
		e.nextArrival = float64(e.now) + e.world.ExpFloat64()/rate
	}
	for ; e.nextArrival < float64(e.now+1); e.nextArrival += e.world.ExpFloat64() / rate {
		e.come(e.pick.draw(e.world))
	}
	if e.flashRate > 0 {
		for ; e.nextFlash < float64(e.now+1); e.nextFlash += e.world.ExpFloat64() / e.flashRate {
			e.come(uint32(e.r.FlashStream))
		}
	}
}

// come is one viewer's arrival.
func (e *engine) come(s uint32) {
	e.r.Arrivals++
	after := int(e.world.ExpFloat64() * float64(ticks(e.c.Session)))
	f := e.fronts.of(e, s)
	at, ok := e.place(s, f, noEdge)
	switch {
	case ok:
		i := e.crowd.add(viewer{stream: s, edge: at}, e.now, after)
		e.sit(i, s, at, f)
		e.event(1, i, s, at)
	case at != noEdge: // frozen: it waits, then comes again
		i := e.crowd.add(viewer{stream: s, edge: noEdge}, e.now, after)
		e.wait(orphan{viewer: i, leaves: e.crowd.all[i].leaves, due: e.now + uint32(ticks(dialTimeout)), from: at, dialed: true})
		e.event(2, i, s, at)
	default:
		e.refuse()
		e.event(3, 0, s, noEdge)
	}
	if e.r.FlashStream == int(s) {
		e.r.FlashPeak = max(e.r.FlashPeak, int(e.audience.streams[s]))
	}
}

func (e *engine) refuse() {
	e.r.Refused++
	capacity, egress := 0.0, 0.0
	for i := range e.edges {
		if x := &e.edges[i]; x.condition == alive {
			capacity += x.capacity
			egress += x.load.EgressBPS
		}
	}
	if egress < (1-room)*capacity {
		e.r.RefusedInVain++
	}
}

// place lets a front decide, and try again what an edge refuses. If the edge is frozen, it is returned with false.
func (e *engine) place(s uint32, f int, failed uint16) (uint16, bool) {
	var tried [tries + 1]place.ID
	exclude := tried[:0]
	if failed != noEdge {
		exclude = append(exclude, place.ID(failed))
	}
	b := e.bitrates[s]
	for range tries {
		d, ok := e.fronts.decide(e, s, f, exclude)
		if !ok {
			return noEdge, false
		}
		x := &e.edges[d.ID]
		switch {
		case x.condition == frozen:
			return uint16(d.ID), false
		case x.condition == dead:
			e.fronts.failed(f, d.ID)
		case x.load.EgressBPS+b > x.capacity:
			e.fronts.refused(f, &d, x, e.now)
		default:
			e.fronts.took(e, f, &d)
			return uint16(d.ID), true
		}
		e.r.Retried++
		exclude = append(exclude, d.ID)
	}
	return noEdge, false
}

// sit makes a placed viewer a load of its edge.
func (e *engine) sit(i, s uint32, at uint16, f int) {
	b := e.bitrates[s]
	l := place.Load{EgressBPS: b, Sessions: 1, Joins: 1}
	if e.audience.add(s, at) {
		e.r.NewPulls++
		l.IngressBPS = b
		if e.audience.listed && e.c.Fronts > 1 && e.c.PullDelay > 0 {
			e.audience.hide(s, at, uint8(f), e.now+uint32(ticks(e.c.PullDelay)))
		}
	}
	e.viewers++
	e.joins = append(e.joins, joining{at, e.now + uint32(ticks(joinTime))})
	e.change(at, &l)
	x := &e.edges[at]
	e.r.JoinsInFlight = max(e.r.JoinsInFlight, x.load.Joins)
	if sh := x.share(); sh > e.r.PeakShare {
		e.r.PeakShare = sh
	}
	if x.load.EgressBPS > x.capacity*(1+1e-9) {
		e.r.OverCapacity++
	}
}

// change adds to an edge's load.
func (e *engine) change(at uint16, l *place.Load) {
	x := &e.edges[at].load
	x.EgressBPS += l.EgressBPS
	x.IngressBPS += l.IngressBPS
	x.Sessions += l.Sessions
	x.Joins += l.Joins
	e.fronts.changed(at, l)
}

// leave takes those out whose time is over.
func (e *engine) leave() {
	for i := e.crowd.due(e.now); i != 0; {
		v := e.crowd.all[i-1]
		if v.edge != noEdge {
			e.rise(v.stream, v.edge)
		}
		e.event(4, i-1, v.stream, v.edge)
		e.crowd.release(i)
		i = v.next
	}
}

// rise is the opposite of sit.
func (e *engine) rise(s uint32, at uint16) {
	b := e.bitrates[s]
	l := place.Load{EgressBPS: -b, Sessions: -1}
	if e.audience.remove(s, at) {
		l.IngressBPS = -b
	}
	e.viewers--
	e.change(at, &l)
}

// joined ends the bursts.
func (e *engine) joined() {
	n := 0
	for ; n < len(e.joins) && e.joins[n].ends <= e.now; n++ {
		if x := &e.edges[e.joins[n].edge]; x.load.Joins > 0 {
			e.change(e.joins[n].edge, &place.Load{Joins: -1})
		}
	}
	e.joins = e.joins[n:]
}

func (e *engine) wait(o orphan) {
	// Nearly sorted: those who wait for a dial are few.
	i := len(e.orphans)
	e.orphans = append(e.orphans, o)
	for ; i > 0 && e.orphans[i-1].due > o.due; i-- {
		e.orphans[i] = e.orphans[i-1]
	}
	e.orphans[i] = o
}

// replace places those again who lost their edge, or waited for one.
func (e *engine) replace() {
	for len(e.orphans) > 0 && e.orphans[0].due <= e.now {
		o := e.orphans[0]
		e.orphans = e.orphans[1:]
		v := &e.crowd.all[o.viewer]
		if v.leaves != o.leaves || v.edge != noEdge || v.leaves <= e.now {
			continue // gone meanwhile
		}
		s := v.stream
		f := e.fronts.of(e, s)
		if o.dialed {
			e.fronts.failed(f, place.ID(o.from))
			e.r.Retried++
		}
		at, ok := e.place(s, f, o.from)
		switch {
		case ok:
			if o.moves {
				e.r.Moved++
				if !o.dialed && e.edges[o.from].condition == alive {
					e.r.MovedInVain++
				}
			}
			v.edge = at
			e.sit(o.viewer, s, at, f)
		case at != noEdge:
			e.wait(orphan{viewer: o.viewer, leaves: o.leaves, due: e.now + uint32(ticks(dialTimeout)), from: at, moves: o.moves, dialed: true})
		default:
			e.refuse()
		}
		e.event(5, o.viewer, s, at)
	}
}

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
