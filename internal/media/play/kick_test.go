package play_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"weir/internal/ops/event"
)

// stalled is a client that takes nothing: a write to it lasts as long as its deadline allows.
type stalled struct {
	*httptest.ResponseRecorder
	onDeadline func() // once, before a deadline is set
	deadline   time.Time
	waited     bool // a write had to
}

func (s *stalled) SetWriteDeadline(t time.Time) error {
	if f := s.onDeadline; f != nil {
		s.onDeadline = nil
		f()
	}
	s.deadline = t
	return nil
}

func (s *stalled) Write([]byte) (int, error) {
	s.waited = s.waited || time.Now().Before(s.deadline)
	return 0, os.ErrDeadlineExceeded
}

// A kick that comes while the next write is prepared ends it, too.
func TestKickBetweenTwoWrites(t *testing.T) {
	w, n, _ := node(t)
	w.Publish(n, alice, 1)
	published(t, n, alice)
	client := &stalled{ResponseRecorder: httptest.NewRecorder()}
	client.onDeadline = func() {
		if all := n.Play.HTTPViewers(); len(all) != 1 || !n.Play.KickHTTP(all[0].Conn) {
			t.Errorf("%d viewers, none of which could be kicked", len(all))
		}
	}
	n.Play.HTTP().ServeHTTP(client, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live/alice.flv", nil))
	if client.waited {
		t.Error("a write to a client that was kicked waits for it")
	}
	if time.Now().Before(client.deadline) {
		t.Error("what is still buffered waits for a client that was kicked")
	}
	closed, err := event.WaitFor(t.Context(), n.Rec, func(e event.SessionClosed) bool { return e.Role == event.RoleViewer })
	if err != nil || closed.Reason != event.Kicked || closed.EndedBy != event.ByServer || closed.Err != nil {
		t.Errorf("%s, %v", event.Line(closed), err)
	}
}
