package bench

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// viewer is one of a Play's, from its join on.
type viewer struct {
	target  Target
	sample  *sample // nil: discarded after the first key frame
	session *session
	drain   atomic.Pointer[drain] // once discarded
	from    int64                 // bytes at the window's begin
}

// bytes returns how many were received so far.
func (v *viewer) bytes() int64 {
	if d := v.drain.Load(); d != nil {
		return d.bytes.Load()
	}
	return v.session.BytesIn()
}

// join takes v from nothing to where its bytes go. ready is called when play
// was answered, settled when the first key frame is there, or neither comes. A sampled viewer's
// goroutine stays until life ends.
func (p *player) join(life context.Context, v *viewer, ready, settled func()) {
	err := func() error {
		defer ready()
		ctx, cancel := context.WithTimeout(life, p.o.JoinLimit)
		defer cancel()
		s, err := open(ctx, dialer{p.o.Insecure}, v.target)
		v.session = s
		return err
	}()
	if err != nil {
		if life.Err() == nil {
			p.tally.failed(err)
		}
		settled()
		return
	}
	nc := v.session.NetConn()
	stop := context.AfterFunc(life, func() { nc.Close() })
	defer stop()
	p.connect.record(time.Since(v.session.dialed))
	p.tally.up()
	p.enter(v)

	err = p.firstKey(v)
	if err == nil && v.sample == nil {
		err = p.discard(life, v)
		settled()
		if err == nil {
			return
		}
	} else {
		settled()
	}
	for err == nil {
		err = v.read()
	}
	nc.Close()
	p.lost(life, err)
}

// deaf joins, and reads no more once it has had its key frame. settled is called then, or when that
// cannot be any more.
func (p *player) deaf(life context.Context, t Target, settled func()) {
	nc, err := p.overhear(life, t)
	if err == nil {
		defer nc.Close()
		p.deafened.Add(1)
	}
	settled()
	if err == nil {
		<-life.Done()
	}
}

// overhear joins and reads to the end of the first key frame.
func (p *player) overhear(life context.Context, t Target) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(life, p.o.JoinLimit)
	defer cancel()
	s, err := open(ctx, dialer{p.o.Insecure}, t)
	if err != nil {
		return nil, err
	}
	nc := s.NetConn()
	stop := context.AfterFunc(life, func() { nc.Close() })
	defer stop()
	nc.SetReadDeadline(time.Now().Add(p.o.KeyLimit))
	for {
		m, err := s.next()
		if err != nil {
			nc.Close()
			return nil, err
		}
		if isKey(m) {
			return nc, nil
		}
	}
}

// firstKey reads to the end of the first key frame, or until the time for it is over.
func (p *player) firstKey(v *viewer) error {
	c := v.session.NetConn()
	c.SetReadDeadline(time.Now().Add(p.o.KeyLimit))
	defer c.SetReadDeadline(time.Time{})
	for {
		m, err := v.session.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.noKey.Add(1)
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		if v.sample != nil {
			v.sample.observe(m, now)
		}
		if isKey(m) {
			p.key.record(now.Sub(v.session.established))
			return nil
		}
	}
}

// read takes a sampled viewer's next message.
func (v *viewer) read() error {
	m, err := v.session.next()
	if err == nil {
		v.sample.observe(m, time.Now())
	}
	return err
}

// discard leaves the rest to the kernel.
func (p *player) discard(life context.Context, v *viewer) error {
	c := v.session
	d, err := p.discarder.take(c.NetConn(), c.BytesIn(), v.target.acks(), func(err error) { p.lost(life, err) })
	if err == nil {
		v.drain.Store(d)
	}
	return err
}

// lost counts a viewer that the server has ended.
func (p *player) lost(life context.Context, err error) {
	if life.Err() == nil {
		p.tally.dropped(err)
	}
}
