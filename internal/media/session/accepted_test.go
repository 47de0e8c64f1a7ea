package session_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime"
	"testing"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// first takes a publisher, and is told of it.
type first struct {
	slow
	p *session.Publish
}

func (h *first) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	h.p = p
	return sink{}, nil
}

// A publisher that is ended while it is being told that it is accepted has no more than any other one: the connection ends with it.
func TestAPublisherThatIsEndedAtOnceEndsTheConnection(t *testing.T) {
	h := &first{}
	s := serve(t, session.Options{Handler: h}, func(s *served, l net.Listener) net.Listener {
		return hooked{l, func(b []byte) {
			if !bytes.Contains(b, []byte(rtmp.CodePublishStart)) {
				return
			}
			go h.p.Evict(rtmp.CodePublishBadName, event.TakenOver, errors.New("taken over"))
			for len(s.Held()) > 0 { // until it is ended, which nobody tells: telling the client waits for this write
				runtime.Gosched()
			}
		}}
	})
	c := s.connect(t)
	id := netStream(t, c)
	c.Send(id, "publish", "s", "live")
	var err error
	for err == nil {
		_, err = c.Next()
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Error("the connection is kept, and nothing is on it")
	}
	c.Close()
	s.stop()
	if closed := event.Of[event.SessionClosed](&s.rec); len(closed) != 1 || closed[0].Reason != event.TakenOver {
		t.Errorf("closed: %+v", closed)
	}
}
