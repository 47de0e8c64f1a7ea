package place

import "time"

// Ticket names one reservation of an Index; the zero Ticket names none.
type Ticket struct {
	slot int32 // + 1
	gen  uint32
}

// reservation is a load that was decided upon and is in no report yet. A report
// that is a second old would otherwise send a whole herd to one server.
//
//	Reserve
//	   │
//	 live ──Drop: the session failed──▶ dead, load given back
//	   │                                  │
//	   ├──Report asOf ≥ at: it shows it───┤
//	   ├──Expire now ≥ expires────────────┤
//	   │    or, of one that stands:       │
//	   │  overdue: it counts, but not     │
//	   │  against capacities ──Report, or │
//	   │                 too many of them─┤
//	   ▼                                  ▼
//	 free, load given back              free
//
// Those of one server are a list, oldest first: a report ends it up to its own time. All are
// another list, and as times never go back, what expires is at the head of both. Those that are
// overdue are a third, in the same order.
//
// Why they stand: while a server does not report, what it said last stays what it is, and everybody
// would go to whoever was least loaded then, if nothing said who went there since. Why not against capacities:
// nobody hears of those sessions' ends either, and a server must not be full of what has long gone.
type reservation struct {
	load        vec
	at, expires time.Duration
	next        int32 // of the same server; -1 for none
	later       int32 // of all; or the next free one
	gen         uint32
	id          ID
	live        bool
	listed      bool // in its server's list
	stands      bool // until a report shows it
	overdue     bool
}

// Reserve counts a decision's demand as load of its server from now on, until a report shows it
// or it expires: a report period and a dial's timeout ahead. Neither now nor expires ever goes back. It takes the
// decision's turn, see [Index.Took].
func (x *Index) Reserve(d *Decision, now, expires time.Duration) Ticket {
	return x.reserve(d, now, expires, false)
}

// ReserveUntilReport is Reserve for a server that reports: until it does, the reservation stands. From
// overdue on it is no more held against capacities.
func (x *Index) ReserveUntilReport(d *Decision, now, overdue time.Duration) Ticket {
	return x.reserve(d, now, overdue, true)
}

func (x *Index) reserve(d *Decision, now, expires time.Duration, stands bool) Ticket {
	x.Took(d)
	s := &x.servers[d.ID]
	slot := x.free
	if slot < 0 {
		x.reservations = append(x.reservations, reservation{})
		slot = int32(len(x.reservations) - 1)
	} else {
		x.free = x.reservations[slot].later
	}
	r := &x.reservations[slot]
	*r = reservation{load: d.Demand.vec(), at: now, expires: expires, next: -1, later: -1, gen: r.gen + 1, id: d.ID, live: true, listed: true, stands: stands}
	x.link(&s.first, &s.last, slot, nextOf)
	x.link(&x.oldest, &x.newest, slot, laterOf)
	if x.joining < 0 {
		x.joining = slot
	}
	x.reserved++
	s.live++
	s.held.add(&r.load)
	x.changed(d.ID)
	return Ticket{slot + 1, r.gen}
}

func nextOf(r *reservation) *int32  { return &r.next }
func laterOf(r *reservation) *int32 { return &r.later }

// link appends to a list.
func (x *Index) link(first, last *int32, slot int32, next func(*reservation) *int32) {
	*next(&x.reservations[slot]) = -1
	if *first >= 0 {
		*next(&x.reservations[*last]) = slot
	} else {
		*first = slot
	}
	*last = slot
}

// Drop ends a reservation early: the session did not come about.
func (x *Index) Drop(t Ticket) {
	if t.slot <= 0 || int(t.slot) > len(x.reservations) {
		return
	}
	if r := &x.reservations[t.slot-1]; r.gen == t.gen && r.live {
		x.end(r)
		x.changed(r.id)
	}
}

// Expire ends what nobody confirmed in time, but for what stands, and joins that are done by now.
func (x *Index) Expire(now time.Duration) {
	for x.joining >= 0 && x.reservations[x.joining].at+joinLasts <= now {
		r := &x.reservations[x.joining]
		x.joining = r.later
		if r.live && r.load[joins] > 0 {
			s := &x.servers[r.id]
			s.held[joins] -= r.load[joins]
			s.likely[joins] = max(s.reported[joins]+x.others()*s.held[joins], 0)
			s.total[joins] = max(s.reported[joins]+s.held[joins], 0)
			r.load[joins] = 0 // no share follows from joins
		}
	}
	for x.oldest >= 0 && x.reservations[x.oldest].expires <= now {
		slot := x.oldest
		r := &x.reservations[slot]
		x.oldest = r.later
		if x.joining == slot {
			x.joining = r.later
		}
		if r.listed && r.stands {
			x.late(slot)
			continue
		}
		x.discard(slot)
	}
	for x.lateFirst >= 0 && (x.lates > maxOverdue || !x.reservations[x.lateFirst].listed) {
		slot := x.lateFirst
		x.lateFirst = x.reservations[slot].later
		x.lates--
		x.discard(slot)
	}
}

// late makes a reservation overdue that is out of the list of all.
func (x *Index) late(slot int32) {
	r := &x.reservations[slot]
	x.link(&x.lateFirst, &x.lateLast, slot, laterOf)
	x.lates++
	if r.live { // else it only waits for its turn to leave its server's list
		r.overdue = true
		x.servers[r.id].overdue.add(&r.load)
	}
}

// discard frees the slot of the oldest reservation of its list.
func (x *Index) discard(slot int32) {
	r := &x.reservations[slot]
	if r.listed {
		for s := &x.servers[r.id]; r.listed; { // it is the first, but for such as stand before one that does not
			x.pop(s)
		}
		x.changed(r.id)
	}
	r.later, x.free = x.free, slot
}

// Held is what is reserved at a server.
func (x *Index) Held(id ID) Load { return x.servers[id].held.load() }

// Reserved counts live reservations.
func (x *Index) Reserved() int { return x.reserved }

// settle ends the reservations of a server up to a time; the caller calls changed.
func (x *Index) settle(s *server, asOf time.Duration) {
	for s.first >= 0 && x.reservations[s.first].at <= asOf {
		x.pop(s)
	}
}

// pop takes the oldest reservation of a server off its list.
func (x *Index) pop(s *server) {
	r := &x.reservations[s.first]
	s.first, r.listed = r.next, false
	if r.live {
		x.end(r)
	}
}

// end gives a live reservation's load back.
func (x *Index) end(r *reservation) {
	s := &x.servers[r.id]
	r.live = false
	x.reserved--
	s.live--
	s.held.sub(&r.load)
	if r.overdue {
		s.overdue.sub(&r.load)
	}
	if s.live == 0 {
		s.held, s.overdue = vec{}, vec{} // the fractions' rounding goes with the last
	}
}
