package front

import (
	"testing"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

func TestWhoCameOverTLSIsNotSentOnInClear(t *testing.T) {
	f := New(Options{Redirect: []string{"flashver:X"}})
	defer f.Close()
	p := &session.Play{Alone: true, Client: session.Client{TLS: true, Session: event.Session{Remote: "192.0.2.1:1"},
		Connect: &rtmp.Connect{FlashVer: "X 1"}}}
	// There is no connection that it could be told on.
	if told, err := f.redirect(t.Context(), p, &Backend{Addr: "10.0.0.1:1935"}); told || err != nil {
		t.Errorf("told %v, %v", told, err)
	}
}
