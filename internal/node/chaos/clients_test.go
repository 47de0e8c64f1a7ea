package chaos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"weir/internal/stream"
	"weir/internal/testnet/seeded"
	"weir/rtmp"
)

const (
	frameEvery = 200 * time.Millisecond
	keyEvery   = 5 // frames
	// clientPatience is how long a client waits for anything to arrive before it connects again.
	clientPatience = 8 * time.Second
)

// soundAfter is how long after each picture there is a sound, in ms: neither in step with the
// other, nor at the end of the stream.
const soundAfter = 70

// A frame says whose it is, which, and when it was sent on the publisher's clock, behind the header of a
// legacy AVC or AAC tag.
type frame struct {
	life, seq uint64
	ts        uint32
}

func (f frame) message(id uint32, t rtmp.MessageType) *rtmp.Message {
	b := []byte{0xaf, 1}
	switch {
	case t == rtmp.Video && f.seq%keyEvery == 0:
		b = []byte{0x17, 1, 0, 0, 0}
	case t == rtmp.Video:
		b = []byte{0x27, 1, 0, 0, 0}
	}
	b = binary.BigEndian.AppendUint64(b, f.life)
	b = binary.BigEndian.AppendUint64(b, f.seq)
	b = binary.BigEndian.AppendUint32(b, f.ts)
	return &rtmp.Message{Type: t, StreamID: id, ChunkStream: 6, Timestamp: f.ts, Payload: b}
}

// headers are sequence headers for both.
func headers(id uint32) []rtmp.Message {
	return []rtmp.Message{
		{Type: rtmp.Video, StreamID: id, ChunkStream: 6, Payload: []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1e, 0xff, 0xe0, 0}},
		{Type: rtmp.Audio, StreamID: id, ChunkStream: 6, Payload: []byte{0xaf, 0, 0x12, 0x10}},
	}
}

func parseFrame(m *rtmp.Message) (f frame, ok bool) {
	b := m.Payload
	if n := len(b) - 20; n < 2 || b[1] != 1 {
		return f, false
	} else {
		b = b[n:]
	}
	return frame{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint32(b[16:])}, true
}

// connect opens an RTMP connection to a node as a client of an address of its own.
func (w *world) connect(ctx context.Context, e *endpoint, m *machine, app string) (*rtmp.ClientConn, error) {
	dctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	nc, err := e.dial(dctx, "tcp", m.addr)
	if err != nil {
		return nil, err
	}
	nc.SetReadDeadline(time.Now().Add(clientPatience))
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		nc.Close()
		return nil, err
	}
	if _, err := c.Connect(&rtmp.Connect{App: app, TCURL: "rtmp://" + m.addr + "/" + app}); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// publisher publishes one stream for as long as ctx goes on, through one node after the other.
type publisher struct {
	w    *world
	name stream.Name
	r    *rand.Rand
	host string

	told func(life uint64) // that it is on air; may be nil

	mu    sync.Mutex
	at    *endpoint     // of its present connection
	live  uint64        // its present life; 0: not on air
	since time.Duration // when it began, in the run
}

func (p *publisher) run(ctx context.Context) {
	for ctx.Err() == nil {
		if m := p.w.entrance(p.r); m != nil {
			err := p.once(ctx, m)
			p.w.logf("publisher of %v through %s: %v", p.name, m.name, err)
		}
		wait(ctx, seeded.Between(p.r, 300*time.Millisecond, 2*time.Second))
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// once is one life of a publisher, from connect to the end.
func (p *publisher) once(ctx context.Context, m *machine) error {
	e := p.w.net.endpoint(p.host)
	defer e.die()
	p.mu.Lock()
	p.at = e
	p.mu.Unlock()
	c, err := p.w.connect(ctx, e, m, p.name.App)
	if err != nil {
		return err
	}
	defer c.Close()
	c.NetConn().SetReadDeadline(time.Time{})
	over := make(chan error, 1)
	p.w.wg.Go(func() {
		for {
			ev, err := c.Next()
			if err == nil && ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError {
				err = errors.New(ev.Status.Code + " " + ev.Status.Description)
			}
			if err != nil {
				over <- err
				return
			}
		}
	})
	pctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	id, err := c.CreateStream(pctx)
	if err != nil {
		return err
	}
	st, err := c.Publish(pctx, id, p.name.Stream, "live")
	if err != nil {
		return err
	}
	if st.Code != rtmp.CodePublishStart {
		return errors.New(st.Code)
	}
	life := p.w.nextLife()
	p.w.logf("publisher of %v is on air through %s as %d", p.name, m.name, life)
	p.onAir(life)
	defer p.onAir(0)
	tick := time.NewTicker(frameEvery)
	defer tick.Stop()
	began := time.Now()
	for seq := uint64(0); ; seq++ {
		ts := uint32(time.Since(began).Milliseconds())
		if seq == 0 {
			if err := c.WriteMessages(headers(id)); err != nil {
				return err
			}
		}
		picture, sound := frame{life, seq, ts}, frame{life, seq, ts + soundAfter}
		if err := c.WriteMessages([]rtmp.Message{*picture.message(id, rtmp.Video), *sound.message(id, rtmp.Audio)}); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case err := <-over:
			return err
		case <-ctx.Done():
			c.DeleteStream(id)
			return ctx.Err()
		}
	}
}

func (p *publisher) onAir(life uint64) {
	p.mu.Lock()
	p.live, p.since = life, time.Since(p.w.began)
	p.mu.Unlock()
	if p.told != nil && life != 0 {
		p.told(life)
	}
}

// viewer plays one stream from one node, and comes back when it is cut off.
type viewer struct {
	w    *world
	name stream.Name
	m    *machine
	r    *rand.Rand
	host string

	leave func() // in a scene

	mu   sync.Mutex
	came int       // how often
	life uint64    // of the publisher seen last
	at   time.Time // when
	why  error     // of its last end
}

func (v *viewer) run(ctx context.Context) {
	for ctx.Err() == nil {
		v.mu.Lock()
		v.came++
		v.mu.Unlock()
		err := v.once(ctx)
		v.mu.Lock()
		v.why = err
		v.mu.Unlock()
		wait(ctx, seeded.Between(v.r, 200*time.Millisecond, time.Second))
	}
}

func (v *viewer) once(ctx context.Context) error {
	e := v.w.net.endpoint(v.host)
	defer e.die()
	c, err := v.w.connect(ctx, e, v.m, v.name.App)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	id, err := c.CreateStreamNow()
	if err != nil {
		return err
	}
	if err := c.Send(id, "play", v.name.Stream, -2000, -1, true); err != nil {
		return err
	}
	check := &continuity{v: v, starts: v.w.starts(v.name), tracks: map[rtmp.MessageType]seen{}}
	for {
		c.NetConn().SetReadDeadline(time.Now().Add(clientPatience))
		ev, err := c.Next()
		if err != nil {
			return err
		}
		if ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError {
			return errors.New(ev.Status.Code)
		}
		if ev.Kind != rtmp.EventMedia {
			continue
		}
		f, ok := parseFrame(ev.Message)
		if !ok {
			continue
		}
		check.frame(ev.Message, f)
		v.mu.Lock()
		v.life, v.at = f.life, time.Now()
		v.mu.Unlock()
	}
}

// continuity is what a viewer checks of one play.
type continuity struct {
	v       *viewer
	starts  int // publications when it began
	changes int // of publishers
	life    uint64
	frames  int    // of that, since the last change
	shift   uint32 // what its times were moved by
	tracks  map[rtmp.MessageType]seen
}

// seen is the last frame of a track, and where it came.
type seen struct {
	f  frame
	ts uint32
}

// frame checks that a frame follows on what was there before: no two publishers in turns, nothing
// twice, no time that goes back, and sound and pictures moved by the same amount.
func (c *continuity) frame(m *rtmp.Message, f frame) {
	v := c.v
	fail := func(format string, args ...any) {
		v.w.fail("viewer of %v at %s: %v %+v: %s", v.name, v.m.name, m.Type, f, fmt.Sprintf(format, args...))
	}
	t, more := c.tracks[m.Type]
	switch shift := m.Timestamp - f.ts; {
	case f.life != c.life:
		// Two writers at a time would take turns. A carried publisher may come back, accepted anew; and where a
		// node without its store took one for a while, there is the way to it and back.
		if c.changes++; c.changes > 2+2*(v.w.starts(v.name)-c.starts) {
			fail("after publisher %d, change %d", c.life, c.changes)
		}
		c.life, c.frames, c.shift = f.life, 0, shift
	case shift != c.shift && c.frames == 1 && int32(shift-c.shift) > 0:
		c.shift = shift // its pictures began before the sound by which it was placed
	case shift != c.shift:
		fail("moved by %d, those before it by %d", shift, c.shift)
		c.shift = shift
	}
	c.frames++
	switch {
	case !more:
	case f.life == t.f.life && f.seq <= t.f.seq:
		fail("after %d", t.f.seq)
	case int32(m.Timestamp-t.ts) < 0:
		fail("at %d, after %d", m.Timestamp, t.ts)
	}
	c.tracks[m.Type] = seen{f, m.Timestamp}
}

func (v *viewer) comes() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.came
}

// state says what the viewer saw last.
func (v *viewer) state() (life uint64, ago time.Duration, why error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.life, time.Since(v.at), v.why
}

var _ net.Conn = (*conn)(nil)

func host(i int) string { return fmt.Sprintf("10.0.0.%d", i+1) }
