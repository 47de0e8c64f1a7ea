package clip

// Player yields the clip without end.
//
//	headers ──all sent──▶ media of loop 0 ──▶ media of loop 1 ──▶ …
//
// Invariant: the n-th loop's frames are those of the first, n × Length later.
type Player struct {
	contents
	next int   // index into headers, then into media
	base int64 // milliseconds at which the present loop began
	body bool  // past the headers
}

// NewPlayer returns a player at the start of the clip. It fails only if the
// embedded file cannot be read, which the package's tests exclude.
func NewPlayer() (*Player, error) {
	c, err := load()
	if err != nil {
		return nil, err
	}
	return &Player{contents: c}, nil
}

// Next returns the next frame: first metadata and the sequence headers, then
// audio and video in decoding order, for ever.
func (p *Player) Next() Frame {
	if !p.body {
		if p.next < len(p.headers) {
			p.next++
			return p.headers[p.next-1]
		}
		p.body, p.next = true, 0
	}
	if p.next == len(p.media) {
		p.next = 0
		p.base += Length.Milliseconds()
	}
	f := p.media[p.next]
	p.next++
	f.Timestamp += p.base
	return f
}

// Headers returns what must be sent before the first picture: metadata and the
// sequence headers. A publisher that connects anew in mid-clip sends them again.
// The caller must not change the slice.
func (p *Player) Headers() []Frame { return p.headers }
