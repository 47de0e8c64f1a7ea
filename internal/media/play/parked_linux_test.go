package play_test

import (
	"bytes"
	"regexp"
	"runtime"
	"testing"

	"weir/rtmp"
)

// readers are the goroutines of sessions and of viewers.
var readers = regexp.MustCompile(`weir/internal/media/(session\.\(\*conn\)|play\.)`)

func countReaders() (n int) {
	stacks := make([]byte, 1<<20)
	for g := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
		if readers.Match(g) {
			n++
		}
	}
	return n
}

// A viewer that says nothing has no goroutine: not after it came, nor after it has said something.
func TestSilentViewersHaveNoGoroutine(t *testing.T) {
	w, n, addr := node(t)
	w.Publish(n, alice, 1)
	published(t, n, alice)
	before := countReaders() // the publisher's
	if before == 0 {
		t.Fatal("nobody reads the publisher")
	}
	all := make([]*player, 10)
	ids := make([]uint32, len(all))
	for i := range all {
		all[i] = dial(t, addr)
		ids[i] = all[i].play(t, alice)
	}
	quiet := func(what string) {
		t.Helper()
		seen := make([]int, len(all))
		for i, p := range all {
			seen[i] = p.report(ids[i]).Video
		}
		until(t, what, func() bool {
			for i, p := range all {
				if p.report(ids[i]).Video <= seen[i] {
					return false
				}
			}
			return countReaders() == before
		})
	}
	quiet("viewers without a goroutine")
	for i, p := range all {
		if i%2 == 0 {
			p.WriteMessage(&rtmp.Message{Type: rtmp.Ack, Payload: []byte{0, 0, 1, 0}})
		} else {
			p.Send(ids[i], "receiveAudio", false)
		}
	}
	quiet("viewers that have said something, without a goroutine")
	if n.Play.Viewers() != len(all) {
		t.Errorf("%d viewers are left", n.Play.Viewers())
	}
}
