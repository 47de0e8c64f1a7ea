package play_test

import (
	"testing"

	"weir/internal/media/mediatest"
)

// falls reads how much a node has sent, over and over, and returns at the end by how
// much it has fallen at most.
func falls(n *mediatest.Node) (stop func() int64) {
	quit, worst := make(chan struct{}), make(chan int64)
	go func() {
		var last, most int64
		for {
			_, out := n.Sessions.Bytes()
			most = max(most, last-out)
			last = out
			select {
			case <-quit:
				worst <- most
				return
			default:
			}
		}
	}()
	return func() int64 {
		close(quit)
		return <-worst
	}
}

// What viewers were sent stays in the sum while they leave, in whatever way, and after.
func TestBytesNeverFallWhileViewersLeave(t *testing.T) {
	w, n, addr := node(t)
	w.Publish(n, alice, 1)
	published(t, n, alice)
	stop := falls(n)
	var all []*player
	var ids []uint32
	for range 8 {
		p := dial(t, addr)
		all, ids = append(all, p), append(ids, p.play(t, alice))
	}
	until(t, "a second for each", func() bool {
		for i, p := range all {
			if p.report(ids[i]).Video < 25 {
				return false
			}
		}
		return true
	})
	for i, p := range all {
		switch i % 4 {
		case 0:
			p.DeleteStream(ids[i])
		case 1:
			p.Send(ids[i], "closeStream")
		case 2:
			p.again(t, ids[i], alice)
		case 3:
			p.Close()
		}
	}
	until(t, "two viewers are left", func() bool { return n.Play.Viewers() == 2 })
	if by := stop(); by > 0 {
		t.Errorf("the bytes sent fell by %d", by)
	}
}
