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

// header and frame are legacy AVC tags; a frame carries its publisher and its number.
func header() []byte { return []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1e, 0xff, 0xe0, 0} }

func frame(publisher, seq uint64) []byte {
	b := []byte{0x27, 1, 0, 0, 0}
	if seq%keyEvery == 0 {
		b[0] = 0x17
	}
	b = binary.BigEndian.AppendUint64(b, publisher)
	return binary.BigEndian.AppendUint64(b, seq)
}

func parseFrame(b []byte) (publisher, seq uint64, ok bool) {
	if len(b) != 21 || b[1] != 1 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(b[5:]), binary.BigEndian.Uint64(b[13:]), true
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

	mu   sync.Mutex
	live uint64 // its present life; 0: not on air
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
			c.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: id, ChunkStream: 6, Payload: header()})
		}
		if err := c.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: id, ChunkStream: 6, Timestamp: ts, Payload: frame(life, seq)}); err != nil {
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
	p.live = life
	p.mu.Unlock()
}

// viewer plays one stream from one node, and comes back when it is cut off.
type viewer struct {
	w    *world
	name stream.Name
	m    *machine
	r    *rand.Rand
	host string

	mu   sync.Mutex
	life uint64    // of the publisher seen last
	at   time.Time // when
	why  error     // of its last end
}

func (v *viewer) run(ctx context.Context) {
	for ctx.Err() == nil {
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
	starts, changes := v.w.starts(v.name), 0
	var life, last uint64
	for {
		c.NetConn().SetReadDeadline(time.Now().Add(clientPatience))
		ev, err := c.Next()
		if err != nil {
			return err
		}
		if ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError {
			return errors.New(ev.Status.Code)
		}
		if ev.Kind != rtmp.EventMedia || ev.Message.Type != rtmp.Video {
			continue
		}
		from, seq, ok := parseFrame(ev.Message.Payload)
		switch {
		case !ok:
			continue
		case from != life:
			// Two writers at a time would take turns. A carried publisher may come back, accepted anew.
			if changes++; changes > 2+v.w.starts(v.name)-starts {
				v.w.fail("viewer of %v at %s: publisher %d after %d, change %d", v.name, v.m.name, from, life, changes)
			}
		case seq <= last:
			v.w.fail("viewer of %v at %s: frame %d of publisher %d after %d", v.name, v.m.name, seq, from, last)
		}
		life, last = from, seq
		v.mu.Lock()
		v.life, v.at = life, time.Now()
		v.mu.Unlock()
	}
}

// state says what the viewer saw last.
func (v *viewer) state() (life uint64, ago time.Duration, why error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.life, time.Since(v.at), v.why
}

var _ net.Conn = (*conn)(nil)

func host(i int) string { return fmt.Sprintf("10.0.0.%d", i+1) }
