package live

import (
	"testing"

	"weir/rtmp"
)

// Viewers that keep up are in the lane; one that does not, or has something of its
// own, leaves it and comes back. Each gets every byte once.
func TestLaneMembersComeAndGo(t *testing.T) {
	h, s, w := still(t)
	sinks, list := make([]*sink, 5), make([]*Viewer, 5)
	for i := range sinks {
		sinks[i] = openSink()
		list[i] = s.Join(JoinOptions{Sink: sinks[i]})
	}
	p := h.pumps[0]
	g := s.logs[RTMP].Load().groups[0].Load()
	sh := newShape()
	step := func(inLane int) {
		t.Helper()
		if err := w.Write(sh.next()); err != nil {
			t.Fatal(err)
		}
		p.readMail(h.now())
		p.retry(h.now() + maxRetry)
		passAll(p, h.now())
		if n := len(g.lane.slots); n != inLane {
			t.Fatalf("%d viewers in the lane, want %d", n, inLane)
		}
	}
	step(0) // joined behind the news
	step(5)
	sinks[1].mu.Lock()
	sinks[1].room = 3
	sinks[1].mu.Unlock()
	step(4)
	if n := len(p.blocked); n != 1 {
		t.Fatalf("%d blocked", n)
	}
	sinks[1].drain(-1)
	step(5)
	control := rtmp.AppendAck(nil, 7)
	if err := list[2].Send(control); err != nil {
		t.Fatal(err)
	}
	list[3].Pause(true)
	step(4)
	list[3].Pause(false)
	step(5)
	list[0].Close()
	step(4)
	for range 2 * messagesPerGOP {
		step(4) // across segments
	}
	whole := len(sinks[4].taken())
	for i, extra := range map[int]int{1: 0, 2: len(control), 4: 0} {
		if n := len(sinks[i].taken()); n != whole+extra {
			t.Errorf("viewer %d got %d bytes, want %d", i, n, whole+extra)
		}
		if n := list[i].Stats().Bytes; n != int64(whole+extra) {
			t.Errorf("viewer %d: %d bytes counted, want %d", i, n, whole+extra)
		}
	}
}

// A viewer's count does not fall when it leaves the lane, however far that has gone
// on without it by the time the count is read.
func TestBytesNeverFallAtTheLane(t *testing.T) {
	h, s, w := still(t)
	s.Join(JoinOptions{Sink: openSink()}) // keeps the lane
	v := s.Join(JoinOptions{Sink: openSink()})
	p := h.pumps[0]
	for sh := newShape(); !v.inLane; {
		if err := w.Write(sh.next()); err != nil {
			t.Fatal(err)
		}
		p.readMail(h.now())
		passAll(p, h.now())
	}
	quit, fell := make(chan struct{}), make(chan int64)
	go func() {
		var last, most int64
		for {
			n := v.Stats().Bytes
			most = max(most, last-n)
			last = n
			select {
			case <-quit:
				fell <- most
				return
			default:
			}
		}
	}()
	const step = 1000
	for range 2_000_000 {
		p.unlane(v)
		v.group.lane.off.Add(step) // the others are sent something
		v.took(step)               // then this one
		v.r.off += step
		if !p.enlane(v) {
			t.Fatal("it does not come back")
		}
	}
	close(quit)
	if n := <-fell; n > 0 {
		t.Errorf("the count fell by %d", n)
	}
}
