package front_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/flv"
	"weir/internal/front"
	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/session"
	"weir/internal/stream"
	"weir/rtmp"
)

// stranger is a server as nginx-rtmp is one: it takes publishers, one a name, gives
// what comes to whoever plays, from anywhere in a group, and keeps only the headers.
type stranger struct {
	name, addr string
	w          *mediatest.World
	script     func(net.Conn) // instead of all that

	mu         sync.Mutex
	ln         net.Listener
	connects   []*rtmp.Connect
	publishes  []*rtmp.PublishRequest
	plays      []*rtmp.PlayRequest
	data       [][]byte // data messages of publishers
	publishers map[string]*rtmp.ServerConn
	players    map[string]map[*rtmp.ServerConn]uint32
	headers    map[string][]rtmp.Message
}

func (w *foreignFleet) stranger(name, addr string) *stranger {
	s := &stranger{name: name, addr: addr, w: w.World, publishers: map[string]*rtmp.ServerConn{},
		players: map[string]map[*rtmp.ServerConn]uint32{}, headers: map[string][]rtmp.Message{}}
	s.listen()
	w.Cleanup(s.kill)
	return s
}

func (s *stranger) listen() {
	ln, err := s.w.Net.Listen(s.addr)
	if err != nil {
		s.w.Fatal(err)
	}
	s.mu.Lock()
	s.ln = ln
	s.mu.Unlock()
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				if s.script != nil {
					s.script(nc)
				} else {
					s.serve(nc)
				}
			}()
		}
	}()
}

func (s *stranger) kill() {
	s.mu.Lock()
	s.ln.Close()
	s.mu.Unlock()
	for _, l := range s.w.Net.Links(s.addr) {
		l.Reset()
	}
}

// freeze is SIGSTOP: what is connected stays so, and nothing answers.
func (s *stranger) freeze() {
	for _, l := range s.w.Net.Links(s.addr) {
		l.Cut()
	}
	s.w.Net.Blackhole(s.addr, true)
}

func (s *stranger) serve(nc net.Conn) {
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if c.Handshake() != nil {
		return
	}
	con, err := c.ReadConnect()
	if err != nil || c.AcceptConnect(nil) != nil {
		return
	}
	c.SetMaxMessage(0)
	s.mu.Lock()
	s.connects = append(s.connects, con)
	s.mu.Unlock()
	var published string
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if published != "" && s.publishers[published] == c {
			delete(s.publishers, published)
			delete(s.headers, published)
			for p, id := range s.players[published] {
				p.Status(id, rtmp.LevelStatus, rtmp.CodePlayUnpublishNotify, "over", nil)
			}
		}
		for _, set := range s.players {
			delete(set, c)
		}
	}()
	for {
		ev, err := c.Next()
		if err != nil {
			return
		}
		s.mu.Lock()
		switch ev.Kind {
		case rtmp.EventPublish:
			s.publishes = append(s.publishes, ev.Publish)
			if s.publishers[ev.Publish.Name] != nil {
				c.RejectPublish(ev.Publish, rtmp.CodePublishBadName, "Already publishing")
				break
			}
			published = ev.Publish.Name
			s.publishers[published] = c
			c.AcceptPublish(ev.Publish, nil)
		case rtmp.EventPlay:
			s.plays = append(s.plays, ev.Play)
			c.AcceptPlay(ev.Play, nil)
			if s.players[ev.Play.Name] == nil {
				s.players[ev.Play.Name] = map[*rtmp.ServerConn]uint32{}
			}
			s.players[ev.Play.Name][c] = ev.Play.StreamID
			for _, m := range s.headers[ev.Play.Name] {
				m.StreamID = ev.Play.StreamID
				c.WriteMessage(&m)
			}
		case rtmp.EventClose:
			s.mu.Unlock()
			return
		case rtmp.EventMedia:
			s.forward(published, ev.Message)
		}
		s.mu.Unlock()
	}
}

// forward needs s.mu.
func (s *stranger) forward(name string, m *rtmp.Message) {
	out := *m
	out.Payload = bytes.Clone(m.Payload)
	header := false
	switch m.Type {
	case rtmp.DataAMF0:
		s.data = append(s.data, out.Payload)
		out.Payload, header = rtmp.StripSetDataFrame(out.Payload)
	case rtmp.Video:
		v, err := flv.ParseVideo(m.Payload)
		header = err == nil && v.SequenceHeader
	case rtmp.Audio:
		a, err := flv.ParseAudio(m.Payload)
		header = err == nil && a.SequenceHeader
	}
	if header {
		out.Timestamp = 0
		s.headers[name] = append(s.headers[name], out)
	}
	for p, id := range s.players[name] {
		out.StreamID = id
		p.WriteMessage(&out)
	}
}

func (s *stranger) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publishers[name] != nil
}

// desk is where fronts claim.
type desk struct {
	mu       sync.Mutex
	held     map[stream.Name]*deskClaim
	watchers map[chan struct{}]stream.Name
}

type deskClaim struct {
	d    *desk
	q    front.ClaimRequest
	lost chan struct{}
}

func (d *desk) Claim(_ context.Context, q front.ClaimRequest) (front.Claim, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.held[q.Name]; old != nil {
		if old.q.Timeline != q.Timeline {
			return nil, &ingest.BusyError{Name: q.Name}
		}
		close(old.lost)
	}
	c := &deskClaim{d, q, make(chan struct{})}
	d.held[q.Name] = c
	d.tell(q.Name)
	return c, nil
}

// tell needs d.mu.
func (d *desk) tell(name stream.Name) {
	for ch, n := range d.watchers {
		if n == name {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
}

func (d *desk) At(name stream.Name) (front.At, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.held[name]
	if c == nil {
		return front.At{}, false
	}
	return front.At{Server: c.q.Server, Timeline: c.q.Timeline}, true
}

func (d *desk) Watch(name stream.Name) (<-chan struct{}, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ch := make(chan struct{}, 1)
	d.watchers[ch] = name
	return ch, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers, ch)
	}
}

// take gives the stream to somebody else.
func (d *desk) take(name stream.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.held[name].lost)
	delete(d.held, name)
	d.tell(name)
}

func (c *deskClaim) Lost() <-chan struct{} { return c.lost }

func (c *deskClaim) MovedTo(server string) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if c.q.Server != server {
		c.q.Server = server
		c.d.tell(c.q.Name)
	}
}

func (c *deskClaim) Release() {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if c.d.held[c.q.Name] == c {
		delete(c.d.held, c.q.Name)
		c.d.tell(c.q.Name)
	}
}

// foreignFleet is two fronts with two foreign servers behind them.
type foreignFleet struct {
	*mediatest.World
	desk   *desk
	fronts [2]*mediatest.Node
	f      [2]*front.Front
	a, b   *stranger
	book   *book

	mu       sync.Mutex
	order    []*stranger // who is chosen, in this order, if it has not just failed
	announce front.Announce
	placed   func() // happens once, between the choice of a viewer's server and the way there
}

func (w *foreignFleet) choose(r front.Request, viewer bool) (front.Backend, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var chosen *stranger
	at, known := w.desk.At(r.Name)
	for _, s := range w.order {
		if viewer && known && at.Server != s.name || slices.Contains(r.Never, s.name) {
			continue
		}
		if chosen == nil || slices.Contains(r.Exclude, chosen.name) && !slices.Contains(r.Exclude, s.name) {
			chosen = s
		}
	}
	if chosen == nil {
		return front.Backend{}, front.ErrNoServer
	}
	return front.Backend{Node: chosen.name, Addr: chosen.addr, Foreign: true, Announce: w.announce}, nil
}

func (w *foreignFleet) Publisher(r front.Request) (front.Backend, error) { return w.choose(r, false) }

func (w *foreignFleet) Viewer(r front.Request) (front.Backend, error) {
	b, err := w.choose(r, true)
	w.mu.Lock()
	then := w.placed
	w.placed = nil
	w.mu.Unlock()
	if then != nil {
		then()
	}
	return b, err
}

func (w *foreignFleet) use(order ...*stranger) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order = order
}

// behind runs f in a bubble with two fronts and two foreign servers.
func behind(t *testing.T, change func(*front.Options), f func(t *testing.T, w *foreignFleet)) {
	synctest.Test(t, func(t *testing.T) {
		w := &foreignFleet{World: mediatest.NewWorld(t), desk: &desk{held: map[stream.Name]*deskClaim{}, watchers: map[chan struct{}]stream.Name{}}, book: newBook()}
		w.a, w.b = w.stranger("a", "10.1.0.1:1935"), w.stranger("b", "10.1.0.2:1935")
		w.order = []*stranger{w.a, w.b}
		t.Cleanup(func() {
			if len(w.desk.held) != 0 || len(w.desk.watchers) != 0 {
				t.Errorf("left: %d claims, %d watchers", len(w.desk.held), len(w.desk.watchers))
			}
			w.book.empty(t)
		})
		for i := range w.fronts {
			transit := live.NewHub(live.Options{Pumps: 1})
			t.Cleanup(func() {
				if w.f[i].Publishers() != 0 || w.f[i].Viewers() != 0 {
					t.Errorf("left: %d publishers, %d viewers", w.f[i].Publishers(), w.f[i].Viewers())
				}
				for s := range transit.Streams() {
					t.Errorf("left: %v", s.Name())
				}
				w.f[i].Close()
				transit.Close()
			})
			w.fronts[i] = w.StartWith("front"+string('1'+rune(i)), func(n *mediatest.Node) session.Handler {
				o := front.Options{Node: n.Name, Secret: func() []byte { return w.Secret }, Dial: w.Net.Dial, Placer: w, Emit: n.Rec.Sink, Hub: transit,
					FirstMedia: 10 * time.Second, Silence: silence, Registry: w.desk, Ledger: w.book, Play: front.Carry}
				if change != nil {
					change(&o)
				}
				w.f[i] = front.New(o)
				return carrier{mediatest.Handler{Node: n}, w.f[i]}
			})
		}
		f(t, w)
	})
}
