package sim

import (
	"fmt"
	"time"

	"weir/internal/control/place"
)

// fronts are the balancers: as many indexes as there are different states of knowledge.
type fronts struct {
	n       int
	indexes []*place.Index
	live    bool // loads are known at once
	reserve bool
	owner   bool
	ttl     time.Duration // of reservations
	told    bool
	untold  []untold // by time
	shown   []uint32 // by edge: the tick that its last report is as of
}

// untold is a decision that the other fronts do not know of yet.
type untold struct {
	d        place.Decision
	front    int
	at, when uint32
}

func newFronts(e *engine) (*fronts, error) {
	c := &e.c
	f := &fronts{n: c.Fronts, live: c.ReportEvery == 0, owner: c.Reservations == Owner}
	f.reserve = !f.live && c.Reservations != Off
	f.ttl = c.ReportEvery*12/10 + c.ReportDelay + time.Second
	n := 1 // of shared reservations, and of none, all fronts know the same
	if f.reserve && c.Reservations != Shared {
		n = c.Fronts
	}
	deciders := n
	if f.told = f.reserve && c.Reservations == Told; f.told {
		deciders = 1 // what the others have decided is known, and need not be guessed
	}
	for range n {
		x, err := place.NewIndex(place.Options{View: c.Policy, Deciders: deciders})
		if err != nil {
			return nil, err
		}
		f.indexes = append(f.indexes, x)
	}
	return f, nil
}

// add makes an edge known. Its number is its ID.
func (f *fronts) add(e *engine, i int) {
	for _, x := range f.indexes {
		if id := x.Set(place.Candidate{Name: fmt.Sprintf("edge%04d", i), Serves: true, Reported: true, Capacity: place.Capacity{EgressBPS: e.edges[i].capacity,
			// So many of small streams that sessions never bind: what is simulated is bandwidth.
			Sessions: 1 << 30}}); int(id) != i {
			panic("an edge's number is not its ID") // edges are only ever added
		}
	}
	if !f.live {
		e.reporters.add(uint16(i), e.now+1+uint32(e.world.IntN(ticks(e.c.ReportEvery))))
	}
}

// of is the front that a viewer comes to.
func (f *fronts) of(e *engine, s uint32) int {
	switch {
	case f.n == 1:
		return 0
	case f.owner:
		return int(s) % f.n
	}
	return e.world.IntN(f.n)
}

func (f *fronts) index(front int) *place.Index { return f.indexes[front%len(f.indexes)] }

func (f *fronts) decide(e *engine, s uint32, front int, exclude []place.ID) (place.Decision, bool) {
	req := place.ViewRequest{Name: e.names[s], BitrateBPS: e.bitrates[s], Exclude: exclude, Carriers: e.audience.of(s, uint8(front))}
	return f.index(front).Viewer(&req, e.luck)
}

// took reserves what an edge has accepted.
func (f *fronts) took(e *engine, front int, d *place.Decision) {
	if !f.reserve {
		f.index(front).Took(d)
		return
	}
	now := at(e.now)
	f.index(front).Reserve(d, now, now+f.ttl)
	if f.told {
		every := uint32(ticks(tellEvery))
		f.untold = append(f.untold, untold{*d, front, e.now, e.now + every - e.now%every})
	}
}

// tell has each front hear of what the others have decided, unless the edge has said so meanwhile.
func (f *fronts) tell(now uint32) {
	n := 0
	for ; n < len(f.untold) && f.untold[n].when <= now; n++ {
		u := &f.untold[n]
		if int(u.d.ID) < len(f.shown) && f.shown[u.d.ID] > u.at {
			continue
		}
		for i, x := range f.indexes {
			if i != u.front%len(f.indexes) {
				x.Reserve(&u.d, at(now), at(now)+f.ttl)
			}
		}
	}
	f.untold = f.untold[:copy(f.untold, f.untold[n:])]
}

// at is a tick as package place has times. A tick's decisions are after its reports.
func at(now uint32) time.Duration { return time.Duration(now) * tick }

// failed marks an edge that did not answer, until it reports.
func (f *fronts) failed(front int, id place.ID) { f.index(front).SetState(id, place.Down) }

// refused takes a full edge's answer as a report.
func (f *fronts) refused(front int, d *place.Decision, x *edge, now uint32) {
	if !f.live {
		f.index(front).Report(d.ID, x.load, at(now))
	}
}

// thawed tells a front without reports what a check of its own would.
func (f *fronts) thawed(id uint16) {
	if f.live {
		f.indexes[0].SetState(place.ID(id), place.Up)
	}
}

// changed keeps loads that are known at once.
func (f *fronts) changed(id uint16, l *place.Load) {
	if f.live {
		f.indexes[0].Add(place.ID(id), *l)
	}
}

func (f *fronts) report(r *report) {
	for int(r.edge) >= len(f.shown) {
		f.shown = append(f.shown, 0)
	}
	f.shown[r.edge] = r.asOf
	for _, x := range f.indexes {
		x.SetState(place.ID(r.edge), place.Up)
		x.Report(place.ID(r.edge), r.load, at(r.asOf)-1)
	}
}

func (f *fronts) expire(now uint32) {
	for _, x := range f.indexes {
		x.Expire(at(now))
	}
}

// reports lets edges speak, and delivers what they said a while ago.
func (e *engine) reports() {
	if e.fronts.live {
		return
	}
	for _, i := range e.reporters.due(e.now) {
		x := &e.edges[i]
		if x.condition == dead {
			continue
		}
		every := ticks(e.c.ReportEvery)
		e.reporters.add(i, e.now+uint32(max(every-every/10+e.world.IntN(every/5+1), 1)))
		if x.condition == frozen || e.world.Float64() < e.c.ReportLoss {
			continue
		}
		e.posted = append(e.posted, report{i, x.load, e.now, e.now + uint32(ticks(e.c.ReportDelay))})
	}
	n := 0
	for ; n < len(e.posted) && e.posted[n].due <= e.now; n++ {
		e.fronts.report(&e.posted[n])
	}
	e.posted = e.posted[n:]
}
