package rtmp

import (
	"errors"
	"net"
	"testing"
	"time"
)

// One who sends what is dropped keeps nobody who never waits.
func TestP4NeverWaitIsBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := NewServerConn(here, Options{})
	defer s.Close()
	// Small messages: it is the reader that is slow.
	junk := AppendMessage(nil, &Message{Type: Audio, StreamID: 9, Payload: make([]byte, 100)}, DefaultInChunkSize)
	for len(junk) < 1<<20 {
		junk = append(junk, junk...)
	}
	go func() { // more than a visit, as fast as it is taken
		for {
			if _, err := there.Write(junk); err != nil {
				return
			}
		}
	}()
	owes := false
	for deadline := time.Now().Add(time.Minute); !owes && time.Now().Before(deadline); {
		s.NeverWait(true)
		from := s.BytesIn()
		_, err := s.Next()
		if n := s.BytesIn() - from; n > muteFills*readBufferBytes {
			t.Fatalf("%d bytes in one go", n)
		}
		if !errors.Is(err, ErrIdle) && !errors.Is(err, ErrOwes) {
			t.Fatal(err)
		}
		owes = owes || errors.Is(err, ErrOwes)
	}
	if !owes {
		t.Error("never more than one go takes")
	}
}
