package faults_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/testnet"
)

// elsewhere is the host by which others reach a node that a proxy stands before: the same port on it
// is the proxy's.
const elsewhere = "127.0.0.2"

// ways are the proxies before nodes: what other nodes reach them through.
type ways struct {
	s    *story
	all  []*testnet.Proxy
	dead []*testnet.Link // cut: who sends into one may go on for long
}

// behind starts a node that others reach through a proxy; the test's own publishers and viewers do not.
func (c *members) behind(w *ways, spec string, f testnet.Faults) {
	c.s.t.Helper()
	n := c.process(spec, nil, func(n *node) {
		real := freeAddr(c.s, nil)
		_, port, _ := net.SplitHostPort(real)
		p, err := testnet.NewProxyAt(net.JoinHostPort(elsewhere, port), real, f)
		if err != nil {
			c.s.t.Fatal(err)
		}
		c.s.t.Cleanup(p.Close)
		w.all = append(w.all, p)
		n.listening["rtmp"] = real
		n.argv = append(n.argv, "--advertise", elsewhere)
	})
	c.all = append(c.all, n)
}

// mend makes later connections good ones.
func (w *ways) mend() {
	for _, p := range w.all {
		p.SetFaults(testnet.Faults{})
	}
}

// cut makes a connection half-open.
func (w *ways) cut(l *testnet.Link) {
	l.Cut()
	w.dead = append(w.dead, l)
}

// feedBytes of a stream are enough to tell a feed from what else nodes say to each other: a quarter
// of a second of it.
const feedBytes = 12_000

// feed waits for the link that carries a stream in a direction and is none of those known.
func (w *ways) feed(d testnet.Direction, known ...*testnet.Link) (feed *testnet.Link) {
	w.s.t.Helper()
	before := map[*testnet.Link]int64{}
	links := func() (all []*testnet.Link) {
		for _, p := range w.all {
			all = append(all, p.Links()...)
		}
		return all
	}
	for _, l := range links() {
		before[l] = l.Sent(d)
	}
	w.s.eventually(10*time.Second, "the stream takes its way", func() error {
		for _, l := range links() {
			if l.Sent(d)-before[l] >= feedBytes && !slices.Contains(known, l) && !slices.Contains(w.dead, l) {
				feed = l
				return nil
			}
		}
		return errors.New("it does not")
	})
	return feed
}

// breakAll does everything to a way that a way can do, once the feed in a direction is found by
// its link: what reaches viewers by it goes on, and others notice nothing. find returns the feed's
// present link, and at the first call the one that late and tiny pieces came by.
func (w *ways) breakAll(d testnet.Direction, find func() *testnet.Link, hit, others []*viewer) {
	s := w.s
	s.t.Helper()
	all := slices.Concat(hit, others)
	calm := target{p99: 200 * ms, always: 2 * time.Second}
	check := func(what string, t target) {
		s.t.Helper()
		s.sees(all, time.Second, 15*time.Second)
		s.gap("gap, "+what, t, gaps(hit)...)
		s.gap("gap of others", calm, gaps(others)...)
	}

	link := find()
	s.fault("the way is late, jittery, and passes a byte at a time", func() {})
	check("late, a byte at a time", target{p99: 250 * ms, always: 2 * time.Second})

	s.fault("a reset in mid-message", func() { link.ResetAt(d, link.Sent(d)+700) })
	check("reset in mid-message", carriedGap)
	link = find()

	s.fault("nothing arrives for a second", func() { link.Stall(d) })
	s.passes(time.Second)
	link.Resume(d)
	check("stalled for 1 s", target{p99: 1200 * ms, always: 3 * time.Second})
	if now := find(); now != link {
		s.t.Error("a stall of a second has moved the feed")
		link = now
	}

	s.fault("half-open: nothing arrives either way, and nobody is told", func() { w.cut(link) })
	check("half-open", target{p99: 3500 * ms, always: 6 * time.Second})
	s.clean(all, true)
}

// damage changes bytes on their way, as a broken memory does behind the check sum of TCP. What is
// promised: whoever gets them says nothing else than what they say, or ends that session and takes the
// stream up again; nobody is closed, others see nothing of it, and it is over when the damage is.
func (w *ways) damage(d testnet.Direction, find func() *testnet.Link, hit, others []*viewer, publishers ...*publisher) {
	s := w.s
	s.t.Helper()
	before := map[*viewer]stamp.Report{}
	for _, v := range slices.Concat(hit, others) {
		before[v] = v.report()
	}
	link := find()
	// About one picture and what is around it, and about when it has passed: a byte in fifty is a
	// header's.
	const reach, every = 1200, 30 * ms
	left := 0
	s.fault("bytes change under way", func() {
		for range scale(40, 100) {
			was := link.Sent(d)
			link.CorruptAt(d, was+rand.Int64N(reach))
			s.passes(every)
			if was < link.Sent(d) {
				continue
			}
			if now := find(); now != link {
				s.note("the damaged connection has been left")
				link = now
				left++
			}
		}
	})
	over := time.Now()
	link.CorruptAt(d, -1)
	last := map[*viewer]string{}
	right := s.settles(over, 20*time.Second, scale(time.Second, 2*time.Second), "viewers see what was sent", each(hit, func(v *viewer) error {
		was := last[v]
		if last[v] = v.report().Faults(); last[v] != was {
			return fmt.Errorf("viewer of %s: %s, was %s", v.where, last[v], was)
		}
		return v.sees()
	}))
	s.gap("right after damage", target{p99: 3500 * ms, always: 10 * time.Second}, right)
	s.sees(slices.Concat(hit, others), time.Second, 10*time.Second)
	s.zero("publisher closes", closes(publishers...))
	var closed, damaged, foreign int
	for _, v := range hit {
		closed += v.closes()
		now := v.report()
		damaged += int(now.Unstamped - before[v].Unstamped)
		foreign += int(now.Foreign - before[v].Foreign)
	}
	s.zero("viewer closes, damage", closed)
	s.zero("frames foreign, damage", foreign)
	s.figure("connections left for damage (not promised)", "", target{always: -ms}, float64(left))
	s.figure("frames damaged (not promised)", "", target{always: -ms}, float64(damaged))
	for _, v := range others {
		if now, was := v.report().Faults(), before[v].Faults(); now != was || v.closes() > 0 {
			s.t.Errorf("viewer of %s: %s, was %s, closed %d times: nothing was wrong on its way", v.where, now, was, v.closes())
		}
	}
	s.gap("gap of others", target{p99: 200 * ms, always: 2 * time.Second}, gaps(others)...)
}
