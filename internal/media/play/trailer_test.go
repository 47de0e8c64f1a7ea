package play

import (
	"net"
	"testing"
	"time"

	"weir/internal/media/session"
	"weir/rtmp"
)

// One viewer that takes nothing holds its own connection up, and not the service.
func TestTrailerOfABusyConnectionHoldsNobodyUp(t *testing.T) {
	a, b := net.Pipe() // a write waits for a read
	p := &session.Play{Conn: rtmp.NewServerConn(a, rtmp.Options{}), Request: &rtmp.PlayRequest{StreamID: 1}}
	go p.Conn.WriteRaw(make([]byte, 1000))
	if _, err := b.Read(make([]byte, 1)); err != nil {
		t.Fatal(err) // the write is under way
	}
	s := New(Options{})
	got := make(chan []byte)
	go func() { got <- s.sharedTrailer(p) }()
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for range 1000 {
			s.Viewers()
			<-time.After(10 * time.Microsecond)
		}
	}()
	select {
	case <-asked:
	case <-got:
		t.Fatal("the trailer did not need the connection: the test shows nothing")
	case <-time.After(time.Minute):
		t.Error("the service waits for a client")
	}
	b.Close()
	a.Close()
	if first := <-got; len(first) == 0 || &first[0] != &s.sharedTrailer(p)[0] {
		t.Error("the trailer is not shared")
	}
	<-asked
}
