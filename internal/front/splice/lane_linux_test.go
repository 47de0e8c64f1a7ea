package splice

import (
	"syscall"
	"testing"
)

// Who is found to have sent something at nearly every visit stays in the lane; a source of bursts leaves.
func TestWhoLeavesTheLane(t *testing.T) {
	for _, c := range []struct {
		name  string
		sends func(visit int) bool
		stays bool
	}{
		{"each time", func(int) bool { return true }, true},
		{"but for one in four", func(i int) bool { return i%4 != 0 }, true},
		{"every second time", func(i int) bool { return i%2 == 0 }, false},
		{"no more", func(i int) bool { return i < 20 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := newLoop(&Options{MaxAdded: patienceMin}, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer l.poll.close()
			s := &Session{loop: l}
			server, far := tcpPair(t)
			client, _ := tcpPair(t)
			if s.server.fd, err = detach(server); err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(s.server.fd)
			if s.client.fd, err = detach(client); err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(s.client.fd)
			f := &s.down
			*f = flow{s: s, src: &s.server, dst: &s.client}
			l.enter(f)
			for i := range 40 {
				if c.sends(i) {
					far.Write([]byte("x"))
				}
				for range laneSlots { // one turn
					l.now += l.lane.period
					l.sweep()
				}
			}
			if f.lane.in != c.stays {
				t.Errorf("in the lane: %v", f.lane.in)
			}
		})
	}
}
