package live

import (
	"time"

	"weir/flv"
	"weir/internal/stream"
)

// Info is what is known of a stream, at one moment.
type Info struct {
	Name    stream.Name
	Epoch   stream.Epoch
	Source  bool // a source is attached
	Viewers int  // joined, at a pump
	Cursors int  // in pull mode: viewers of slower paths, feeds, recorders
	Tracks  []Track
	// BitsPerSecond is the publisher's payload over the last second or more; 0
	// if nothing has come for 3 s.
	BitsPerSecond int
	Bytes         int64         // payload received from publishers since the last End
	Idle          time.Duration // since the publisher's last message; -1 = never any
	// Last times of the stream's clock, in ms; -1 = none.
	LastAudio, LastVideo int64
	// What a joiner gets at once: the log from the join point on.
	GOPBytes    int
	GOPDuration time.Duration
	KeptBytes   int // memory of the logs' segments
}

// Track is one of a stream's tracks that has headers.
type Track struct {
	Video      bool
	ID         uint8
	Codec      string // as in RFC 6381 where it can be told, else the FourCC
	Width      int    // video
	Height     int
	SampleRate int // audio
	Channels   int
}

// Info returns what is known of the stream.
func (s *Stream) Info() Info {
	now := s.hub.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logs[RTMP].Load()
	i := Info{
		Name: s.name, Epoch: s.epoch, Source: s.writer != nil, Viewers: int(s.viewers.Load()), Cursors: len(*s.cursors.Load()),
		Tracks: s.headers.tracks(), BitsPerSecond: s.meter.rate(now), Bytes: s.meter.total, Idle: -1,
		LastAudio: s.clock.newest(flagAudio), LastVideo: s.clock.newest(flagVideo),
	}
	if s.meter.total > 0 {
		i.Idle = now - s.meter.last
	}
	if j := l.join.Load(); j != nil {
		i.GOPBytes = int(l.end.Load() - j.off)
		i.GOPDuration = time.Duration(s.clock.last-j.ms) * time.Millisecond
	}
	s.eachLog(func(l *log) { i.KeptBytes += l.kept() })
	return i
}

func (t *timeline) newest(kind flags) int64 {
	ms := int64(-1)
	for _, c := range t.tracks {
		if c.kind == kind {
			ms = max(ms, c.last)
		}
	}
	return ms
}

// tracks lists the tracks that have a sequence header.
func (h *headers) tracks() (list []Track) {
	for _, e := range h.all() {
		if e.role != roleConfig {
			continue
		}
		if e.kind == flagVideo {
			v, err := flv.ParseVideo(e.payload)
			if err != nil {
				continue
			}
			for t := range v.Tracks(e.payload) {
				c, _ := flv.ParseVideoConfig(t.FourCC, t.Body)
				list = append(list, Track{Video: true, ID: t.ID, Codec: codec(c.Codec, t.FourCC), Width: c.Width, Height: c.Height})
			}
			continue
		}
		a, err := flv.ParseAudio(e.payload)
		if err != nil {
			continue
		}
		for t := range a.Tracks(e.payload) {
			c, _ := flv.ParseAudioConfig(t.FourCC, t.Body)
			list = append(list, Track{ID: t.ID, Codec: codec(c.Codec, t.FourCC), SampleRate: c.SampleRate, Channels: c.Channels})
		}
	}
	return list
}

func codec(name string, c flv.FourCC) string {
	if name != "" {
		return name
	}
	return c.String()
}

// meter measures the publisher's rate over windows of a second or more.
type meter struct {
	total  int64
	last   time.Duration
	from   time.Duration
	window int64
	bps    int
}

const (
	meterWindow = time.Second
	meterStale  = 3 * time.Second
)

func (m *meter) add(now time.Duration, n int) {
	if m.total == 0 {
		m.from = now
	}
	m.total += int64(n)
	m.window += int64(n)
	m.last = now
	if d := now - m.from; d >= meterWindow {
		m.bps = int(float64(m.window) * 8 / d.Seconds())
		m.from, m.window = now, 0
	}
}

func (m *meter) rate(now time.Duration) int {
	if now-m.last > meterStale {
		return 0
	}
	return m.bps
}
