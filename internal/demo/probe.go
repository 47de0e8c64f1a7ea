package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"weir/flv"
	"weir/rtmp"
)

// probe is a viewer that looks whether media comes out. It tries again for as
// long as the demo runs, as a player would.
type probe struct {
	where, addr string

	once    sync.Once
	flowing chan struct{} // closed at the first key frame

	mu           sync.Mutex
	frames, keys int
	last         time.Time
	err          error
}

func (p *probe) init() { p.once.Do(func() { p.flowing = make(chan struct{}) }) }

func (p *probe) run(ctx context.Context) {
	p.init()
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-retry.C:
		}
		err := p.play(ctx)
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		retry.Reset(200 * time.Millisecond)
	}
}

func (p *probe) play(ctx context.Context) error {
	nc, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	conn := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := conn.Handshake(); err != nil {
		return err
	}
	if _, err := conn.Connect(&rtmp.Connect{App: app, TCURL: "rtmp://" + p.addr + "/" + app}); err != nil {
		return err
	}
	id, err := conn.CreateStreamNow()
	if err != nil {
		return err
	}
	if err := conn.Send(id, "play", name, -2000); err != nil {
		return err
	}
	for {
		ev, err := conn.Next()
		if err != nil {
			return err
		}
		switch ev.Kind {
		case rtmp.EventStatus:
			if ev.Status.Level == rtmp.LevelError {
				return fmt.Errorf("%s: %s", ev.Status.Code, ev.Status.Description)
			}
			if ev.Status.Code == rtmp.CodePlayUnpublishNotify {
				return errors.New("the stream ended")
			}
		case rtmp.EventMedia:
			p.saw(ev.Message)
		}
	}
}

// saw counts one message.
func (p *probe) saw(m *rtmp.Message) {
	key := false
	switch m.Type {
	case rtmp.Video:
		v, err := flv.ParseVideo(m.Payload)
		if err != nil || v.SequenceHeader {
			return
		}
		key = v.Keyframe
	case rtmp.Audio:
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames++
	p.last = time.Now()
	if key {
		if p.keys++; p.keys == 1 {
			close(p.flowing)
		}
	}
}

func (p *probe) quiet() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.last)
}

func (p *probe) counts() (frames, keys int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frames, p.keys
}

func (p *probe) lastErr() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
