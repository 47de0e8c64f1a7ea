package live

// Clock says what the times of a stream are: the frame that a publisher's clock,
// Base, has at time t comes at t + Shift. Arithmetic is that of 32 bits, as on the
// wire. Base is any text that no other clock has; "" is a clock of which nothing
// is known.
//
// Every frame therefore has one time on its publisher's clock, whoever delivers
// it and however it was moved, and by this time a receiver knows what it has.
type Clock struct {
	Base  string
	Shift uint32
}

// Position is how far a receiver has come: it has everything up to At on the
// publisher's clock Base, as far as it can be said with one number. The zero value has nothing.
type Position struct {
	Base string
	At   uint32
}

// IsZero reports whether the receiver has nothing.
func (p Position) IsZero() bool { return p.Base == "" }

// progress is what of one publisher's clock was delivered.
type progress struct {
	base   string
	raw    int64 // the base's newest time, without the wrap of 32 bits
	begun  bool  // raw is set
	tracks []mark
}

// mark is how far a track has come on a publisher's clock.
type mark struct {
	kind  flags
	id    uint8
	at    int64 // base time of the last frame
	count int   // frames at that time
	// A source that may repeat itself: what is older than at, and as many at it as there
	// were, was delivered. Until the first that was not.
	resuming bool
	again    int
}

func (p *progress) mark(kind flags, id uint8) *mark {
	for i := range p.tracks {
		if m := &p.tracks[i]; m.kind == kind && m.id == id {
			return m
		}
	}
	return nil
}

// resume expects a source that may repeat what there was.
func (p *progress) resume() {
	for i := range p.tracks {
		m := &p.tracks[i]
		m.resuming, m.again = true, m.count
	}
}

// resumed expects no repetition any more.
func (p *progress) resumed() {
	for i := range p.tracks {
		p.tracks[i].resuming = false
	}
}

// delivered reports whether a frame at base time t was there before.
func (p *progress) delivered(kind flags, id uint8, t int64) bool {
	m := p.mark(kind, id)
	if m == nil || !m.resuming {
		return false
	}
	switch d := m.at - t; {
	case d > 0 && d <= maxRepeat.Milliseconds():
		return true
	case d == 0 && m.again > 0:
		m.again--
		return true
	}
	m.resuming = false
	return false
}

// note remembers a frame at base time t, which is not before the last.
func (p *progress) note(kind flags, id uint8, t int64) {
	m := p.mark(kind, id)
	switch {
	case m == nil:
		p.tracks = append(p.tracks, mark{kind: kind, id: id, at: t, count: 1})
	case m.at == t:
		m.count++
	default:
		m.at, m.count = t, 1
	}
}

// unwrap extends a time of 32 bits to the value nearest to the last one.
func (p *progress) unwrap(t uint32) int64 {
	if !p.begun {
		return int64(t)
	}
	return p.raw + int64(int32(t-uint32(p.raw)))
}

// position is up to where all tracks are there. One that has stopped holds up
// nothing: it counts as there up to positionSlack before the newest.
func (p *progress) position() Position {
	var low, high int64
	some := false
	for _, m := range p.tracks {
		switch {
		case m.kind == 0: // data comes now and then
		case !some:
			low, high, some = m.at, m.at, true
		default:
			low, high = min(low, m.at), max(high, m.at)
		}
	}
	if !some || p.base == "" {
		return Position{}
	}
	return Position{Base: p.base, At: uint32(max(low, high-positionSlack.Milliseconds()))}
}
