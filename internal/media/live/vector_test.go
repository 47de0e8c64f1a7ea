package live

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"weir/rtmp"
)

// What a pass sends across the end of a segment, in one call, arrives whole and in
// order, also when the socket takes only part of it.
func TestLaneCrossesSegmentsOnASocket(t *testing.T) {
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
	defer here.Close()
	here.(*net.TCPConn).SetWriteBuffer(4 << 10)
	there.(*net.TCPConn).SetReadBuffer(4 << 10)
	there.SetReadDeadline(time.Now().Add(30 * time.Second))

	h := NewHub(Options{Pumps: 1, SegmentBytes: 16 << 10, LagLimit: time.Minute})
	defer h.Close()
	s := h.Open(testName)
	defer s.Release()
	w, err := s.Attach(Source{Timeline: "one"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	sink, err := NewSocketSink(here.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	w.Write(rtmp.Audio, 0, aacHeader(1))
	w.Write(rtmp.Audio, 0, append([]byte{0xaf, 1}, make([]byte, 4)...))
	s.Join(JoinOptions{Sink: sink})

	const messages, size, burst = 600, 700, 5
	go func() {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for n := range uint32(messages) {
			p := make([]byte, 2+size)
			p[0], p[1] = 0xaf, 1
			binary.BigEndian.PutUint32(p[2:], n+1)
			w.Write(rtmp.Audio, n+1, p)
			if n%burst == burst-1 {
				<-pace.C // a pass takes several messages along
			}
		}
	}()
	var b []byte
	for next, buf := uint32(1), make([]byte, 10_000); next <= messages; {
		n, err := there.Read(buf)
		if err != nil {
			t.Fatalf("before message %d: %v", next, err)
		}
		for b = append(b, buf[:n]...); ; {
			m, length, err := NextMessage(b)
			if err != nil {
				break // the rest is still to come
			}
			b = b[length:]
			p := m.Payload()
			if len(p) < 2+size {
				continue // the header, and what was there before the viewer
			}
			if got := binary.BigEndian.Uint32(p[2:]); got != next {
				t.Fatalf("message %d came when %d was due", got, next)
			}
			next++
		}
	}
}

// However much of both parts a viewer takes, it goes on where it stopped.
func TestLaneGoesOnWithinEitherSegment(t *testing.T) {
	inWorld(t, Options{Pumps: 1, SegmentBytes: 1200, LagLimit: time.Minute}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		whole, part := openSink(), openSink()
		w.s.Join(JoinOptions{Sink: whole})
		w.s.Join(JoinOptions{Sink: part})
		elapse(time.Second)
		ts := uint32(0)
		for room := range 700 {
			part.mu.Lock()
			part.room = room
			part.mu.Unlock()
			for range 8 { // some 500 bytes: now and then a segment ends among them
				ts += 10
				w.audio(ts)
			}
			elapse(time.Second)
			part.drain(-1)
			elapse(time.Second)
		}
		if a, b := whole.taken(), part.taken(); !bytes.Equal(a, b) {
			t.Errorf("%d bytes and %d, which differ", len(a), len(b))
		}
	})
}
