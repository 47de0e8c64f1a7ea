package sim

import (
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
	e.fronts.tell(e.now)
	e.fronts.expire(e.now)
	e.replace()
	e.arrive()
}
