package node_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/config"
	"weir/rtmp"
)

// onAir is a publisher that sends a frame every 20 ms from its acceptance on.
type onAir struct {
	*rtmp.ClientConn
	closed chan string // gets the code that the node ended it with; "" = without a word
}

// goOnAir publishes, or returns the refusal.
func (a *attack) goOnAir(name string) (*onAir, error) {
	a.t.Helper()
	c := a.connected()
	id, err := c.CreateStreamNow()
	if err != nil {
		a.t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(patience))
	if err := a.ask(c, id, rtmp.CodePublishStart, "publish", name, "live"); err != nil {
		c.Close()
		return nil, err
	}
	c.SetReadDeadline(time.Time{})
	p := &onAir{c, make(chan string, 1)}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(over)
		for {
			ev, err := c.Next()
			if err != nil {
				p.closed <- ""
				return
			}
			if ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError {
				p.closed <- ev.Status.Code
				return
			}
		}
	})
	wg.Go(func() {
		frames := time.NewTicker(20 * time.Millisecond)
		defer frames.Stop()
		body := avcHeader
		for ts := uint32(0); ; ts += 20 {
			if c.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: id, Timestamp: ts, Payload: body}) != nil {
				return
			}
			body = avcKey
			select {
			case <-frames.C:
			case <-over:
				return
			}
		}
	})
	a.t.Cleanup(func() {
		c.Close()
		wg.Wait()
	})
	return p, nil
}

// ends waits for the publisher's end and wants its code.
func (p *onAir) ends(t *testing.T, within time.Duration, code string) {
	t.Helper()
	select {
	case got := <-p.closed:
		if got != code {
			t.Errorf("the publisher was ended with %q, want %q", got, code)
		}
	case <-time.After(within):
		t.Errorf("the publisher was not ended within %v", within)
	}
}

// stays wants the publisher on air for as long.
func (p *onAir) stays(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case code := <-p.closed:
		t.Errorf("the publisher was ended with %q", code)
	case <-time.After(d):
	}
}

// P1: publish.duplicate is for publishers of one node, too.
func TestP1DuplicatePolicyAtOneNode(t *testing.T) {
	for _, c := range []struct {
		policy config.Duplicate
		wins   bool
	}{{config.DuplicateReject, false}, {config.DuplicateTakeover, true}} {
		t.Run(string(c.policy), func(t *testing.T) {
			cfg := quickConfig("alone")
			cfg.Publish.Duplicate = c.policy
			a := newAttack(t, start(t, cfg))
			first, err := a.goOnAir("cam")
			if err != nil {
				t.Fatal(err)
			}
			second, err := a.goOnAir("cam")
			if !c.wins {
				if err == nil {
					t.Error("the second publisher was accepted")
				}
				first.stays(t, 500*time.Millisecond)
				return
			}
			if err != nil {
				t.Fatalf("the newcomer got %v", err)
			}
			first.ends(t, patience, rtmp.CodePublishBadName)
			second.stays(t, 500*time.Millisecond)
		})
	}
}

// A publisher of the same node yields once it has been silent for 2 s, and not before.
func TestSilentPublisherYieldsToANewcomer(t *testing.T) {
	a := newAttack(t, start(t, quickConfig("alone")))
	silent := a.publishing("cam")
	began := time.Now() // not after its last message
	a.send(silent, rtmp.Video, 0, avcHeader)
	if !eventually(patience, func() bool {
		_, err := a.goOnAir("cam")
		return err == nil
	}) {
		t.Fatal("the silent publisher keeps the name")
	}
	if d := time.Since(began); d < 2*time.Second {
		t.Errorf("it lost the name after %v", d)
	}
}

// P1: the front that carries the loser must not take the stream back by the same policy,
// and so on: the loser hears that the name is taken, once.
func TestP1CarriedPublishersDoNotFight(t *testing.T) {
	m := store.NewMemory()
	config := func(name string, roles ...config.Role) config.Config {
		cfg := quickConfig(name)
		cfg.Node.Roles, cfg.Node.DrainTimeout = roles, 0
		cfg.Publish.Duplicate = "takeover"
		return cfg
	}
	origin, _ := startWith(t, inStore(m), config("origin", "origin"))
	var fronts [2]*attack
	for i, name := range []string{"front1", "front2"} {
		f, _ := startWith(t, inStore(m), config(name, "front"))
		f.sees(t, "origin")
		origin.sees(t, name)
		fronts[i] = newAttack(t, f)
	}
	loser, err := fronts[0].goOnAir("cam")
	if err != nil {
		t.Fatal(err)
	}
	winner, err := fronts[1].goOnAir("cam")
	if err != nil {
		t.Fatalf("the newcomer got %v", err)
	}
	loser.ends(t, patience, rtmp.CodePublishBadName)
	winner.stays(t, time.Second)
	if n := origin.log.count(func(l line) bool { return l.msg == "taking over" }); n != 1 {
		t.Errorf("the stream was taken over %d times", n)
	}
}

// halfOpen is a dialer whose connections can lose the other side: what is written goes
// nowhere, nothing comes, and closing is not heard there.
type halfOpen struct {
	mu    sync.Mutex
	conns []*halfOpenConn
}

type halfOpenConn struct {
	net.Conn
	cut  atomic.Bool
	once sync.Once
	over chan struct{}
}

func (h *halfOpen) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &halfOpenConn{Conn: nc, over: make(chan struct{})}
	h.mu.Lock()
	h.conns = append(h.conns, c)
	h.mu.Unlock()
	return c, nil
}

// cut breaks what there is; what is dialled later is whole.
func (h *halfOpen) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.cut.Store(true)
	}
}

// close tells the other sides in the end.
func (h *halfOpen) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Conn.Close()
	}
}

func (c *halfOpenConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.cut.Load() {
		<-c.over
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *halfOpenConn) Write(b []byte) (int, error) {
	if c.cut.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *halfOpenConn) Close() error {
	c.once.Do(func() { close(c.over) })
	if c.cut.Load() {
		return nil
	}
	return c.Conn.Close()
}

// P3: a front whose push went half-open comes back to the same origin before that has noticed.
// It is the same publisher: it has its stream again at once, and notices nothing.
func TestP3CarriedPublisherReturnsToItsOrigin(t *testing.T) {
	m := store.NewMemory()
	cfg := quickConfig("origin")
	cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleOrigin, config.RoleEdge}, 0
	origin, _ := startWith(t, inStore(m), cfg)
	cfg = quickConfig("front")
	cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
	net := &halfOpen{}
	w := inStore(m)
	w.Dial = net.dial
	f, _ := startWith(t, w, cfg)
	t.Cleanup(net.close)
	f.sees(t, "origin")
	p, err := newAttack(t, f).goOnAir("cam")
	if err != nil {
		t.Fatal(err)
	}
	net.cut()
	if _, ok := f.log.wait(patience, func(l line) bool { return l.msg == "backend changed" }); !ok {
		t.Error("the front has not gone back to the origin")
	}
	p.stays(t, time.Second)
	// The stream is there for those who come now.
	v := newAttack(t, origin)
	if got := v.next(v.playing("cam"), 2); got[0].payload != string(avcHeader) || got[1].payload != string(avcKey) {
		t.Errorf("a viewer begins with %x, %x", got[0].payload, got[1].payload)
	}
}
