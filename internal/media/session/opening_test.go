package session_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

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
	s := session.NewServer(session.Options{Node: "a", Secret: func() []byte { return nil }, Handler: h, Emit: func(event.Event) {},
		Handshake: 10 * time.Second, Command: 10 * time.Second, ConnectionsPerAddr: 100})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l, nil) }()
	defer func() {
		l.Close()
		<-served
		s.Close(t.Context())
	}()
	for _, refusal := range []error{nil, &session.Rejection{Code: rtmp.CodePublishRejected}} {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://a/live"}); err != nil {
			t.Fatal(err)
		}
		id, err := c.CreateStreamNow()
		if err != nil {
			t.Fatal(err)
		}
		c.Send(id, "publish", "cam", "live")
		<-h.asked
		all := s.Opening()
		if len(all) != 1 || all[0].Name.Stream != "cam" || all[0].Role != event.RolePublisher || all[0].Runs() || !all[0].Elsewhere() {
			t.Errorf("opening: %+v", all)
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
		nc.Close()
		end, tick := time.After(5*time.Second), time.NewTicker(time.Millisecond)
		for len(s.Opening())+len(s.Held()) > 0 { // nobody tells
			select {
			case <-tick.C:
			case <-end:
				t.Fatalf("left behind: %d opening, %d held", len(s.Opening()), len(s.Held()))
			}
		}
		tick.Stop()
	}
}
