package session_test

import (
	"context"
	"errors"
	"testing"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// newest gives the stream to whoever came last, and ends who had it before it says so.
type newest struct {
	slow
	last   *session.Publish
	refuse bool // newcomers, for whom the one before is ended all the same
}

func (h *newest) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	before := h.last
	h.last = p
	if before == nil {
		return sink{}, nil
	}
	before.Evict(rtmp.CodePublishBadName, event.TakenOver, errors.New("taken over"))
	if h.refuse {
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Reason: event.NoServer}
	}
	return sink{}, nil
}

// One NetStream of a connection takes over what another one of it has: that one ends, the connection does not. It does
// when the newcomer is refused after all, and nothing is left.
func TestANetStreamTakesOverFromAnotherOfItsConnection(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		h := &newest{refuse: refuse}
		s := serve(t, session.Options{Handler: h}, nil)
		c := s.connect(t)
		heard := func(id uint32) (code string) {
			for {
				ev, err := c.Next()
				if err != nil {
					return err.Error()
				}
				if ev.Kind == rtmp.EventStatus && ev.StreamID == id {
					return ev.Status.Code
				}
			}
		}
		ids := [2]uint32{netStream(t, c), netStream(t, c)}
		c.Send(ids[0], "publish", "s", "live")
		if got := heard(ids[0]); got != rtmp.CodePublishStart {
			t.Fatal(got)
		}
		c.Send(ids[1], "publish", "s", "live")
		if got := heard(ids[0]); got != rtmp.CodePublishBadName {
			t.Errorf("the first hears %s", got)
		}
		want := rtmp.CodePublishStart
		if refuse {
			want = rtmp.CodePublishRejected
		}
		if got := heard(ids[1]); got != want {
			t.Errorf("the second hears %s, want %s", got, want)
		}
		err := c.Ping(7)
		for answered := false; err == nil && !answered; {
			var ev rtmp.Event
			ev, err = c.Next()
			answered = err == nil && ev.Kind == rtmp.EventUserControl && ev.Control.Event == rtmp.PingResponse
		}
		if (err != nil) != refuse {
			t.Errorf("refused %v: the connection: %v", refuse, err)
		}
		c.Close()
		s.stop()
		if closed := event.Of[event.SessionClosed](&s.rec); len(closed) != 1 || (closed[0].Reason == event.NoServer) != refuse {
			t.Errorf("closed: %+v", closed)
		}
	}
}
