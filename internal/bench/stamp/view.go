package stamp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"weir/rtmp"
)

// ViewOptions say what to watch.
type ViewOptions struct {
	URL  string
	Dial Dialer
	// Late is the age from which a frame counts as late; 0 = never.
	Late time.Duration
	// Observe, if set, sees every audio, video and data message, before it is
	// counted. The payload is valid during the call only.
	Observe func(m *rtmp.Message)
}

// Viewer watches one stream and counts. Report may be called from any goroutine.
type Viewer struct {
	o       ViewOptions
	address Address

	mu      sync.Mutex
	counter *Counter
}

// NewViewer returns a viewer that has not connected yet.
func NewViewer(o ViewOptions) (*Viewer, error) {
	a, err := ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	return &Viewer{o: o, address: a, counter: NewCounter(a.Stream(), o.Late)}, nil
}

// Report returns the counts so far.
func (v *Viewer) Report() Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.counter.Report()
}

// Run plays until ctx ends, and returns nil then. Anything that the server does to
// end it earlier is an error; a refusal, and the stream's end, is a
// *[rtmp.StatusError].
func (v *Viewer) Run(ctx context.Context) error {
	err := v.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (v *Viewer) run(ctx context.Context) error {
	c, closeConn, err := v.address.open(ctx, v.o.Dial, "LNX 9,0,124,2", 0)
	if err != nil {
		return err
	}
	defer closeConn()
	if _, err := ask(c, rtmp.CodePlayStart, "play", v.address.Name+v.address.Query); err != nil {
		return fmt.Errorf("play %s: %w", v.address.Stream(), err)
	}
	for {
		ev, err := c.Next()
		switch {
		case err != nil:
			return fmt.Errorf("the server ended the session: %w", err)
		case ev.Kind == rtmp.EventMedia:
			v.observe(ev.Message)
		case ev.Kind == rtmp.EventStatus && ends(ev.Status):
			return &rtmp.StatusError{Status: *ev.Status}
		}
	}
}

// ends reports whether a status means that no more media will come.
func ends(s *rtmp.Status) bool {
	return s.Level == rtmp.LevelError || s.Code == rtmp.CodePlayStop || s.Code == rtmp.CodePlayUnpublishNotify
}

func (v *Viewer) observe(m *rtmp.Message) {
	now := time.Now()
	if v.o.Observe != nil {
		v.o.Observe(m)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counter.Observe(uint8(m.Type), m.Timestamp, m.Payload, now)
}
