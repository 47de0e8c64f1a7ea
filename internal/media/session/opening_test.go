package session_test

import (
	"context"
	"errors"
	"testing"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// slow answers a publish when it is told to.
type slow struct {
	asked  chan struct{}
	answer chan error
}

type sink struct{}

func (sink) Write(*rtmp.Message) error { return nil }
func (sink) Close()                    {}

func (h slow) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	p.Elsewhere()
	h.asked <- struct{}{}
	return sink{}, <-h.answer
}
func (slow) Play(context.Context, *session.Play) (session.Player, error) {
	return nil, errors.ErrUnsupported
}
func (slow) Query(context.Context, string, string) (string, error) { return "", nil }

// A publish is among those that open or among those held from before its handler is asked until it
// has ended, without a gap.
func TestPublishIsSeenFromItsBeginning(t *testing.T) {
	h := slow{make(chan struct{}), make(chan error)}
	s := serve(t, session.Options{Handler: h}, nil)
	for _, refusal := range []error{nil, &session.Rejection{Code: rtmp.CodePublishRejected}} {
		c := s.connect(t)
		id := netStream(t, c)
		c.Send(id, "publish", "cam", "live")
		<-h.asked
		all := s.Opening()
		if len(all) != 1 {
			t.Fatalf("opening: %+v", all)
		}
		if h := all[0]; h.Name.Stream != "cam" || h.Role != event.RolePublisher || h.Runs() || !h.Elsewhere() {
			t.Errorf("opening: %+v", h)
		}
		if n := len(s.Held()); n != 0 {
			t.Errorf("%d are held before the answer", n)
		}
		h.answer <- refusal
		for {
			ev, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			if ev.Kind == rtmp.EventStatus {
				break
			}
		}
		// The answer is sent while it is still among both, at most.
		held := s.Held()
		if refusal == nil && (len(held) != 1 || !held[0].Runs() || !held[0].Elsewhere()) || refusal != nil && len(held) != 0 {
			t.Errorf("after the answer %v: %+v", refusal, held)
		}
		c.Close()
		conn := all[0].Conn
		if _, err := event.WaitFor(t.Context(), &s.rec, func(e event.SessionClosed) bool { return e.Conn == conn }); err != nil {
			t.Fatal(err)
		}
		if opening, held := s.Opening(), s.Held(); len(opening)+len(held) > 0 {
			t.Errorf("left behind: %d opening, %d held", len(opening), len(held))
		}
	}
}
