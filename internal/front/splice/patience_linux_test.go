package splice

import (
	"syscall"
	"testing"
	"time"
)

// A server with Nagle's algorithm is not asked for more by a read that acknowledges later,
// and is soon after.
func TestAReadThatAcknowledgesLater(t *testing.T) {
	near, far := tcpPair(t)
	far.SetNoDelay(false)
	fd, err := detach(near)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	buf := make([]byte, 10)
	read := func(later bool) (both bool) {
		ackLater(fd)
		far.Write(buf[:1]) // goes, as nothing is under way
		far.Write(buf[:1]) // waits for the acknowledgement of the first
		came := 0
		eventually(t, "the first has come", func() bool {
			if later {
				ackLater(fd)
			} else {
				syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
			}
			came, _ = recv(fd, buf)
			return came > 0
		})
		n, _ := recv(fd, buf)
		came += n
		both = came == 2
		eventually(t, "the second has come", func() bool { n, _ := recv(fd, buf); came += n; return came == 2 })
		return both
	}
	// The machine may stand still for those 40 ms, or the kernel be quick on its own, but not each time.
	later, quick := 0, 0
	for range 20 {
		if !read(true) {
			later++
		}
		if read(false) {
			quick++
		}
	}
	if later == 0 || quick == 0 {
		t.Errorf("20 times each: the second was held back %d times, and came at once %d times", later, quick)
	}
}

// A source that sends often is acknowledged later first, where the bound has room for it, and goes into
// the lane if that does not help.
func TestPatienceComesBeforeTheLane(t *testing.T) {
	for _, c := range []struct {
		name           string
		bound          time.Duration
		before, after  time.Duration // between two visits, before and after it is acknowledged later
		patient, lanes bool
	}{
		{"it helps", patienceMin, 5 * time.Millisecond, 42 * time.Millisecond, true, false},
		{"it does not help", patienceMin, 5 * time.Millisecond, 5 * time.Millisecond, true, true},
		{"there is no time for it", patienceMin - 1, 5 * time.Millisecond, 5 * time.Millisecond, false, true},
		{"bursts", patienceMin, 50 * time.Millisecond, 50 * time.Millisecond, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := newLoop(&Options{MaxAdded: c.bound}, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer l.poll.close()
			near, _ := tcpPair(t)
			fd, err := detach(near)
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(fd)
			f := &flow{src: &end{fd: fd}}
			for range 100 {
				if !f.lane.in {
					l.woken(f, 100)
				}
				if f.patient {
					l.now += c.after
				} else {
					l.now += c.before
				}
			}
			if f.patient != c.patient || f.lane.in != c.lanes {
				t.Errorf("acknowledged later %v, in the lane %v; want %v, %v", f.patient, f.lane.in, c.patient, c.lanes)
			}
		})
	}
}
