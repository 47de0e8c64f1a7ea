package stamp

import (
	"context"
	"errors"
	"fmt"
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
}

// Publish publishes in real time until ctx ends, and says goodbye then; it returns
// nil for that alone. A refusal is a *[rtmp.StatusError]. It runs two goroutines: the
// caller's writes, another reads what the server has to say.
func Publish(ctx context.Context, o PublishOptions) error {
	a, err := ParseURL(o.URL)
	if err != nil {
		return err
	}
	// The connection outlives ctx by the goodbye.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stop := context.AfterFunc(ctx, end)
	c, closeConn, err := a.open(life, o.Dial, "FMLE/3.0 (compatible; weir bench)")
	if err != nil {
		return err
	}
	defer closeConn()
	id, err := ask(c, rtmp.CodePublishStart, "publish", a.Name+a.Query, "live")
	if err != nil {
		return fmt.Errorf("publish %s: %w", a.Stream(), err)
	}
	stop()
	if o.Accepted != nil {
		o.Accepted()
	}
	gone := make(chan error, 1)
	go func() {
		for {
			if _, err := c.Next(); err != nil {
				gone <- err
				return
			}
		}
	}()
	return send(ctx, c, id, o.Feed, gone)
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

// send paces the feed. A frame that is late is sent at once: a publisher that has
// been held up catches up as encoders do.
func send(ctx context.Context, c *rtmp.ClientConn, id uint32, feed Feed, gone <-chan error) error {
	for _, h := range feed.Headers() {
		if err := c.WriteMessage(message(id, h)); err != nil {
			return err
		}
	}
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var buf []byte
	for {
		timer.Reset(time.Until(start.Add(feed.Due())))
		select {
		case <-ctx.Done():
			return goodbye(c, id)
		case err := <-gone:
			return fmt.Errorf("the server ended the session: %w", err)
		case now := <-timer.C:
			f := feed.Next(buf[:0], now)
			buf = f.Payload
			if err := c.WriteMessage(message(id, f)); err != nil {
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
