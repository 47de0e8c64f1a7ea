package live

import (
	"errors"
	"testing"

	"weir/rtmp"
)

// Another stream's key frame goes out through the viewer that has the socket: it
// is larger than what may wait, it must arrive whole, and its writer must wait
// for the socket as it would without the viewer.
func TestWriteWaitsForTheSocketAndKeepsMessagesWhole(t *testing.T) {
	big := rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.DataAMF0, StreamID: StreamID, Payload: make([]byte, 3*MaxControlBytes)}, ChunkSize)
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(&sink{room: 100}, JoinOptions{})
		written := make(chan error, 2)
		go func() {
			written <- v.Write(big)
			written <- v.Write(big)
		}()
		elapse(maxRetry)
		if len(written) != 1 {
			t.Fatalf("%d writes returned while the socket was full", len(written))
		}
		v.drain(-1)
		elapse(maxRetry)
		if len(written) != 2 {
			t.Fatal("the second write never returned")
		}
		large := 0
		for _, g := range w.seen(v) {
			if g.size == 3*MaxControlBytes {
				large++
			}
		}
		if large != 2 {
			t.Errorf("%d of 2 large messages arrived", large)
		}
		v.Finish()
		elapse(maxRetry)
		if err := v.Write(big); !errors.Is(err, ErrViewerGone) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestWriteEndsWithItsViewer(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		v := w.join(&sink{room: 0}, JoinOptions{})
		v.Write([]byte{1})
		written := make(chan error, 1)
		go func() {
			v.Write([]byte{1}) // may still be taken into the writer's hand
			written <- v.Write([]byte{1})
		}()
		elapse(DefaultStallLimit + maxRetry)
		select {
		case err := <-written:
			if !errors.Is(err, ErrViewerGone) {
				t.Errorf("the write ended with %v", err)
			}
		default:
			t.Error("a write outlives its viewer")
		}
	})
}
