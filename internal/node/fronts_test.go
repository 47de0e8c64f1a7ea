package node_test

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"weir/internal/control/store"
	"weir/internal/node"
	"weir/internal/ops/config"
	"weir/internal/ops/secret"
	"weir/rtmp"
)

// counting is a foreign server that takes whoever comes, and counts publishers.
type counting struct {
	addr      string
	mu        sync.Mutex
	now, most int
}

func (s *counting) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += n
	s.most = max(s.most, s.now)
}

func (s *counting) publishers() (now, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.most
}

func startCounting(t *testing.T) *counting {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &counting{addr: ln.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(nc) })
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return s
}

func (s *counting) serve(nc net.Conn) {
	defer nc.Close()
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if c.Handshake() != nil {
		return
	}
	if _, err := c.ReadConnect(); err != nil || c.AcceptConnect(nil) != nil {
		return
	}
	for {
		ev, err := c.Next()
		if err != nil {
			return
		}
		if ev.Kind == rtmp.EventPublish {
			s.count(1)
			defer s.count(-1)
			if c.AcceptPublish(ev.Publish, nil) != nil {
				return
			}
		}
	}
}

// pair is two fronts over the same foreign servers and a store that neither of them holds.
func pair(t *testing.T, limit int, servers ...*counting) (fronts [2]*running, stop [2]func(), away func()) {
	t.Helper()
	st, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	away = sync.OnceFunc(func() { st.Close() })
	t.Cleanup(away)
	for i := range fronts {
		cfg := quickConfig(fmt.Sprint("front", i))
		cfg.Node.Roles = []config.Role{config.RoleFront}
		cfg.Store.Kind, cfg.Store.Endpoints, cfg.Store.Secret = config.StoreEtcd, []string{st.Addr()}, secret.New(upstreamSecret)
		cfg.Place.Sticky = 0
		for j, s := range servers {
			server := quickServer(fmt.Sprint("s", j), s.addr, "", config.LoadNone, "")
			server.MaxPublishers = &limit
			cfg.Front.Backends.Servers = append(cfg.Front.Backends.Servers, server)
		}
		fronts[i], stop[i] = startWith(t, node.World{}, cfg)
	}
	fronts[0].sees(t, "front1")
	fronts[1].sees(t, "front0")
	return fronts, stop, away
}

// onAirs has publishers come to a front, each until it is let in, or has been refused three times while there was no room.
func onAirs(t *testing.T, n *running, prefix string, count int, room func() bool) (let []*onAir) {
	t.Helper()
	a := newAttack(t, n)
	end := time.Now().Add(patience)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range count {
		wg.Go(func() {
			for left := 3; left > 0 && time.Now().Before(end); {
				if !room() {
					left--
				}
				p, err := a.goOnAir(fmt.Sprint(prefix, i))
				if err == nil {
					mu.Lock()
					let = append(let, p)
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return let
}

// Two fronts that are come to at the same moment give a server no publisher more than it takes, and leave no room either.
func TestTwoFrontsKeepAServersLimit(t *testing.T) {
	const limit = 5
	servers := []*counting{startCounting(t), startCounting(t)}
	fronts, stop, away := pair(t, limit, servers...)
	room := func() bool {
		for _, s := range servers {
			if now, _ := s.publishers(); now < limit {
				return true
			}
		}
		return false
	}
	var let [2][]*onAir
	let[0] = onAirs(t, fronts[0], "first-", 3, room)
	var wg sync.WaitGroup
	for i, f := range fronts {
		wg.Go(func() { let[i] = append(let[i], onAirs(t, f, fmt.Sprint("p", i, "-"), 12, room)...) })
	}
	wg.Wait()
	t.Logf("%d and %d are let in", len(let[0]), len(let[1]))
	if n := len(let[0]) + len(let[1]); n != 2*limit {
		t.Errorf("%d publishers are let in at two servers that take %d each", n, limit)
	}
	full := func(when string) {
		t.Helper()
		for i, s := range servers {
			if now, most := s.publishers(); now != limit || most > limit {
				t.Errorf("%s: server %d has %d publishers, had %d", when, i, now, most)
			}
		}
	}
	full("in the end")

	// What a front had is free when it is gone.
	stop[0]()
	if !eventually(patience, func() bool {
		a, _ := servers[0].publishers()
		b, _ := servers[1].publishers()
		return a+b == len(let[1])
	}) {
		t.Error("the publishers of a front that is gone stay")
	}
	more := onAirs(t, fronts[1], "again-", len(let[0])+2, room)
	if len(more) != len(let[0]) {
		t.Fatalf("%d come to the room of %d", len(more), len(let[0]))
	}
	full("with one front")

	// A store that is away ends nobody, and keeps nobody out.
	away()
	for _, p := range more[:3] {
		p.Close()
	}
	if after := onAirs(t, fronts[1], "after-", 3, room); len(after) != 3 {
		t.Errorf("without the store %d of 3 come", len(after))
	}
	for i, p := range slices.Concat(let[1], more[3:]) {
		select {
		case code := <-p.closed:
			t.Errorf("publisher %d was ended: %q", i, code)
		default:
		}
	}
	full("without the store")
}
