package stamp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"weir/rtmp"
)

// Feed is what Publish sends. A [Source] is one; tests bring others.
type Feed interface {
	// Headers go first, at timestamp 0.
	Headers() []Frame
	// Due returns when, since the start of the run, the next frame is to be sent.
	Due() time.Duration
	// Next returns the next frame; it may use buf for it.
	Next(buf []byte, sent time.Time) Frame
}

// PublishOptions say what to publish and where.
type PublishOptions struct {
	URL  string
	Feed Feed
	Dial Dialer
	// Accepted, if set, is called when the server has accepted the publish.
	Accepted func()
	// Reconnects announces that the publisher follows reconnect requests (E-RTMP v2), and has it
	// do so. Moved, if set, is called with the tcUrl that the server named, when the old session
	// has ended and the new one is about to begin.
	Reconnects bool
	Moved      func(tcURL string)
}

// Publish publishes in real time until ctx ends, and says goodbye then; it returns
// nil for that alone. A refusal is a *[rtmp.StatusError]. It runs two goroutines: the
// caller's writes, another reads what the server has to say.
func Publish(ctx context.Context, o PublishOptions) error {
	a, err := ParseURL(o.URL)
	if err != nil {
		return err
	}
	p := publishing{o: o}
	if err := p.open(ctx, a); err != nil {
		return err
	}
	defer func() { p.end() }()
	return p.send(ctx)
}

// publishing is one publisher, which may go from server to server.
type publishing struct {
	o     PublishOptions
	a     Address
	c     *rtmp.ClientConn
	id    uint32
	end   func()        // closes the connection
	gone  <-chan error  // it has ended
	moves <-chan string // the server's wishes: a tcUrl, or ""
}

// open connects and publishes. The connection outlives ctx by the goodbye.
func (p *publishing) open(ctx context.Context, a Address) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, end)
	caps := uint32(0)
	if p.o.Reconnects {
		caps = rtmp.CapsReconnect
	}
	c, closeConn, err := a.open(life, p.o.Dial, "FMLE/3.0 (compatible; weir bench)", caps)
	if err != nil {
		end()
		return err
	}
	id, err := ask(c, rtmp.CodePublishStart, "publish", a.Name+a.Query, "live")
	if err != nil {
		closeConn()
		end()
		return fmt.Errorf("publish %s: %w", a.Stream(), err)
	}
	stop()
	if p.o.Accepted != nil {
		p.o.Accepted()
	}
	gone, moves := make(chan error, 1), make(chan string, 1)
	go func() {
		for {
			ev, err := c.Next()
			if err != nil {
				gone <- err
				return
			}
			if ev.Kind == rtmp.EventStatus && ev.Status.Code == rtmp.CodeReconnect {
				select {
				case moves <- ev.Status.Info.String("tcUrl"):
				default: // one wish is enough
				}
			}
		}
	}()
	p.a, p.c, p.id, p.gone, p.moves = a, c, id, gone, moves
	p.end = func() {
		closeConn()
		end()
	}
	return nil
}

// move goes on at the server that the last one has named, between two frames. What was sent is
// the last server's to deliver: it gets its goodbye first, for it has the name until then.
func (p *publishing) move(ctx context.Context, tcURL string) error {
	to := p.a
	if tcURL != "" {
		a, err := ParseURL(strings.TrimSuffix(tcURL, "/") + "/" + p.a.Name)
		if err != nil {
			return fmt.Errorf("asked to move: %w", err)
		}
		a.Query = p.a.Query
		to = a
	}
	err := goodbye(p.c, p.id)
	p.end()
	if err != nil {
		return err
	}
	if p.o.Moved != nil {
		p.o.Moved(tcURL)
	}
	if err := p.open(ctx, to); err != nil {
		p.end = func() {}
		return fmt.Errorf("moving to %s: %w", to.Host, err)
	}
	return p.headers()
}

// ask makes a NetStream, sends it a command and waits for a status with the code.
func ask(c *rtmp.ClientConn, code, name string, args ...any) (id uint32, err error) {
	if id, err = c.CreateStreamNow(); err != nil {
		return 0, err
	}
	if err := c.Send(id, name, args...); err != nil {
		return 0, err
	}
	for {
		ev, err := c.Next()
		switch {
		case err != nil:
			return 0, err
		case ev.Kind != rtmp.EventStatus:
		case ev.Status.Code == code:
			return id, nil
		case ev.Status.Level == rtmp.LevelError:
			return 0, &rtmp.StatusError{Status: *ev.Status}
		}
	}
}

func (p *publishing) headers() error {
	for _, h := range p.o.Feed.Headers() {
		if err := p.c.WriteMessage(message(p.id, h)); err != nil {
			return err
		}
	}
	return nil
}

// send paces the feed. A frame that is late is sent at once: a publisher that has
// been held up catches up as encoders do. It moves before a key frame.
func (p *publishing) send(ctx context.Context) error {
	if err := p.headers(); err != nil {
		return err
	}
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var buf []byte
	for {
		timer.Reset(time.Until(start.Add(p.o.Feed.Due())))
		select {
		case <-ctx.Done():
			return goodbye(p.c, p.id)
		case err := <-p.gone:
			return fmt.Errorf("the server ended the session: %w", err)
		case now := <-timer.C:
			f := p.o.Feed.Next(buf[:0], now)
			buf = f.Payload
			if f.Key {
				select {
				case to := <-p.moves:
					if err := p.move(ctx, to); err != nil {
						return err
					}
				default:
				}
			}
			if err := p.c.WriteMessage(message(p.id, f)); err != nil {
				return err
			}
		}
	}
}

func message(id uint32, f Frame) *rtmp.Message {
	return &rtmp.Message{Type: rtmp.MessageType(f.Type), StreamID: id, Timestamp: uint32(f.Timestamp), Payload: f.Payload}
}

func goodbye(c *rtmp.ClientConn, id uint32) error {
	err := c.DeleteStream(id)
	return errors.Join(err, c.Close())
}
