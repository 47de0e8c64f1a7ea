package ingest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/deadline"
	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// registry is a Registry that grants growing epochs and counts.
type registry struct {
	mu       sync.Mutex
	rev      uint64
	held     map[stream.Name]*claim
	busy     error  // returned instead, if set
	prefers  bool   // newcomers win
	asked    func() // called when a claim has been granted, before its asker knows
	released int
}

type claim struct {
	r     *registry
	name  stream.Name
	epoch stream.Epoch
	lost  chan struct{}
}

func (r *registry) Claim(_ context.Context, req Request) (Claim, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy != nil {
		return nil, r.busy
	}
	if old := r.held[req.Name]; old != nil {
		if !r.prefers {
			return nil, &BusyError{Name: req.Name, Owner: "other"}
		}
		close(old.lost)
	}
	r.rev++
	c := &claim{r, req.Name, stream.Epoch{Incarnation: 1, Revision: r.rev}, make(chan struct{})}
	r.held[req.Name] = c
	if asked := r.asked; asked != nil {
		r.mu.Unlock() // others may ask meanwhile
		asked()
		r.mu.Lock()
	}
	return c, nil
}

func (c *claim) Epoch() stream.Epoch      { return c.epoch }
func (c *claim) Changed() <-chan struct{} { return nil }
func (c *claim) Lost() <-chan struct{}    { return c.lost }
func (c *claim) Release() {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if c.r.held[c.name] == c {
		delete(c.r.held, c.name)
		c.r.released++
	}
}

var name = stream.Name{App: "live", Stream: "a"}

// in runs f in a bubble with a service whose time is fake.
func in(t *testing.T, f func(t *testing.T, s *Service, r *registry, rec *event.Recorder)) {
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub(live.Options{Pumps: 1})
		defer hub.Close()
		r := &registry{held: make(map[stream.Name]*claim)}
		rec := &event.Recorder{}
		s := New(Options{Hub: hub, Registry: r, Emit: rec.Sink, FirstMedia: 10 * time.Second, Silence: 5 * time.Second})
		f(t, s, r, rec)
		synctest.Wait()
		if s.Len() != 0 {
			t.Errorf("%d publications left behind", s.Len())
		}
		if len(r.held) != 0 {
			t.Errorf("%d claims left behind", len(r.held))
		}
		for st := range hub.Streams() {
			t.Errorf("stream %v left behind", st.Name())
		}
	})
}

func audio(ts uint32) *rtmp.Message {
	return &rtmp.Message{Type: rtmp.Audio, Timestamp: ts, Payload: []byte{0x2f, 1, 2, 3}}
}

func TestP1SecondPublisherIsRefusedBeforeItsMedia(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		p, err := s.Publish(t.Context(), Request{Name: name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var busy *BusyError
		if _, err := s.Publish(t.Context(), Request{Name: name}, nil); !errors.As(err, &busy) {
			t.Errorf("the second publisher got %v", err)
		}
		p.Close()
		r.busy = &BusyError{Name: name, Owner: "origin-2"}
		if _, err := s.Publish(t.Context(), Request{Name: name}, nil); !errors.As(err, &busy) || busy.Owner != "origin-2" {
			t.Errorf("with an owner elsewhere the publisher got %v", err)
		}
	})
}

// P1: who wins is the registry's to say, also between two of one node.
func TestP1RegistryDecidesBetweenPublishersOfOneNode(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		evicted := make(chan error, 2)
		old, err := s.Publish(t.Context(), Request{Name: name}, func(why error) { evicted <- why })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Publish(t.Context(), Request{Name: name}, nil); err == nil {
			t.Fatal("the second publisher was accepted")
		}
		if err := old.Write(audio(0)); err != nil {
			t.Errorf("after a newcomer was refused, a write gave %v", err)
		}
		r.prefers = true
		// The claim is lost before the newcomer has it: that is no reason of its own.
		r.asked = func() { time.Sleep(100 * time.Millisecond) }
		p, err := s.Publish(t.Context(), Request{Name: name}, nil)
		if err != nil {
			t.Fatalf("the newcomer got %v", err)
		}
		if why := <-evicted; !errors.Is(why, ErrTakenOver) {
			t.Errorf("the old one heard %v", why)
		}
		if err := old.Write(audio(40)); !errors.Is(err, ErrTakenOver) {
			t.Errorf("a write of the old one gave %v", err)
		}
		old.Close()
		if err := p.Write(audio(40)); err != nil {
			t.Errorf("a write of the new one gave %v", err)
		}
		if held, ok := s.Lookup(name); !ok || held != p {
			t.Error("the new one is not the publication of the stream")
		}
		if !old.Epoch().Less(p.Epoch()) {
			t.Errorf("epochs %v, then %v", old.Epoch(), p.Epoch())
		}
		p.Close()
		synctest.Wait()
		if len(evicted) != 0 {
			t.Errorf("the old one heard of it again: %v", <-evicted)
		}
	})
}

// P3: a publisher that its front brings over another connection has not lost its name to another.
func TestP3AHandOverIsNoNewcomer(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		r.prefers = true
		evicted := make(chan error, 2)
		var last *Publication
		for _, c := range []struct {
			timeline string
			why      error // what the one before hears
		}{{"one", nil}, {"one", ErrHandedOver}, {"another", ErrTakenOver}} {
			p, err := s.Publish(t.Context(), Request{Name: name, Timeline: c.timeline, Carried: true}, func(why error) { evicted <- why })
			if err != nil {
				t.Fatal(err)
			}
			if last != nil {
				if why := <-evicted; !errors.Is(why, c.why) {
					t.Errorf("for timeline %q the one before ended with %v, want %v", c.timeline, why, c.why)
				}
				if err := last.Write(audio(0)); !errors.Is(err, c.why) {
					t.Errorf("a write of the one before gave %v, want %v", err, c.why)
				}
			}
			last = p
		}
		last.Close()
	})
}

// A front may bring its publisher again while the registry has not answered the first time:
// that is waited for, and is no answer about the newcomer.
func TestNewcomersWaitForEachOther(t *testing.T) {
	for _, c := range []struct {
		answer time.Duration // the registry's, for the first
		taken  bool          // the second, then
	}{{time.Second, true}, {5 * time.Second, false}} {
		in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
			r.prefers = true
			claiming := make(chan struct{})
			r.asked = func() {
				r.asked = nil
				close(claiming)
				time.Sleep(c.answer)
			}
			first := make(chan *Publication, 1)
			go func() {
				p, err := s.Publish(t.Context(), Request{Name: name}, nil)
				if err != nil {
					t.Error(err)
				}
				first <- p
			}()
			<-claiming
			began := time.Now()
			second, err := s.Publish(t.Context(), Request{Name: name}, nil)
			waited := time.Since(began)
			var busy *BusyError
			switch {
			case c.taken && (err != nil || waited != c.answer):
				t.Errorf("after %v the second got %v", waited, err)
			case !c.taken && (err == nil || errors.As(err, &busy) || waited != deadline.Begin):
				t.Errorf("after %v the second got %v, which is to be another error than that the stream is taken", waited, err)
			}
			(<-first).Close()
			if second != nil {
				second.Close()
			}
		})
	}
}

// A front that pushes waits for so long and no longer: it must hear what became of the claim, however
// long that has waited for another one.
func TestAFrontHearsWhatBecameOfAClaim(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		r.prefers = true
		claiming := make(chan struct{})
		r.asked = func() {
			r.asked = func() { time.Sleep(deadline.Store) } // the newcomer's, which is not cut off
			close(claiming)
			time.Sleep(deadline.Begin - 100*time.Millisecond)
		}
		first := make(chan *Publication, 1)
		go func() {
			p, _ := s.Publish(t.Context(), Request{Name: name}, nil)
			first <- p
		}()
		<-claiming
		began := time.Now()
		second, err := s.Publish(t.Context(), Request{Name: name}, nil)
		if waited := time.Since(began); err != nil || waited > deadline.Claim {
			t.Errorf("after %v: %v", waited, err)
		}
		(<-first).Close()
		if second != nil {
			second.Close()
		}
		r.asked = nil
	})
	// The registry is told by when it has to begin.
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub(live.Options{Pumps: 1})
		defer hub.Close()
		s := New(Options{Hub: hub, Registry: patient{}, Emit: (&event.Recorder{}).Sink})
		began := time.Now()
		if _, err := s.Publish(t.Context(), Request{Name: name}, nil); err == nil || time.Since(began) != deadline.Begin {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// patient is a Registry that waits as long as it may.
type patient struct{}

func (patient) Claim(ctx context.Context, _ Request) (Claim, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestSilenceEndsAPublication(t *testing.T) {
	for _, c := range []struct {
		what    string
		media   bool
		carried bool
		after   time.Duration
		why     error
	}{
		{"nothing at all", false, false, 10 * time.Second, ErrNoMedia},
		{"media, then nothing", true, false, 5 * time.Second, ErrSilent},
		{"nothing at all by way of a front", false, true, 11 * time.Second, ErrNoMedia},
		{"media, then nothing by way of a front", true, true, 6 * time.Second, ErrSilent},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, func(t *testing.T, s *Service, _ *registry, rec *event.Recorder) {
				evicted := make(chan error, 1)
				p, err := s.Publish(t.Context(), Request{Name: name, Carried: c.carried}, func(why error) { evicted <- why })
				if err != nil {
					t.Fatal(err)
				}
				if c.media {
					p.Write(audio(0))
				}
				began := time.Now()
				if why := <-evicted; !errors.Is(why, c.why) {
					t.Errorf("ended with %v", why)
				}
				if d := time.Since(began); d != c.after {
					t.Errorf("ended after %v, want %v", d, c.after)
				}
			})
		})
	}
}

func TestP1LostClaimFencesThePublication(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		evicted := make(chan error, 1)
		p, err := s.Publish(t.Context(), Request{Name: name}, func(why error) { evicted <- why })
		if err != nil {
			t.Fatal(err)
		}
		close(p.claim.(*claim).lost)
		if why := <-evicted; !errors.Is(why, ErrFenced) {
			t.Errorf("evicted with %v", why)
		}
		if err := p.Write(audio(0)); !errors.Is(err, ErrFenced) {
			t.Errorf("a write after the loss gave %v", err)
		}
	})
}

func TestEveryEndReleasesTheClaimOnce(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		for range 100 {
			p, err := s.Publish(t.Context(), Request{Name: name}, nil)
			if err != nil {
				t.Fatal(err)
			}
			p.Close()
			p.Close()
			p.Kick()
		}
		if r.released != 100 {
			t.Errorf("%d releases of 100 claims", r.released)
		}
	})
}

func TestNormalizeKeepsWhatIsMedia(t *testing.T) {
	meta := []byte("\x02\x00\x0aonMetaData\x05")
	set := append([]byte("\x02\x00\x0d@setDataFrame"), meta...)
	for _, c := range []struct {
		what string
		in   rtmp.Message
		typ  rtmp.MessageType
		want string
		ok   bool
	}{
		{"audio", rtmp.Message{Type: rtmp.Audio, Payload: []byte("x")}, rtmp.Audio, "x", true},
		{"set data frame", rtmp.Message{Type: rtmp.DataAMF0, Payload: set}, rtmp.DataAMF0, string(meta), true},
		{"plain data", rtmp.Message{Type: rtmp.DataAMF0, Payload: meta}, rtmp.DataAMF0, string(meta), true},
		{"AMF3 around AMF0", rtmp.Message{Type: rtmp.DataAMF3, Payload: append([]byte{0}, set...)}, rtmp.DataAMF0, string(meta), true},
		{"AMF3 of another kind", rtmp.Message{Type: rtmp.DataAMF3, Payload: []byte{3, 1}}, 0, "", false},
		{"empty AMF3", rtmp.Message{Type: rtmp.DataAMF3}, 0, "", false},
		{"command", rtmp.Message{Type: rtmp.CommandAMF0, Payload: []byte("x")}, 0, "", false},
	} {
		typ, payload, ok := Normalize(&c.in)
		if typ != c.typ || string(payload) != c.want || ok != c.ok {
			t.Errorf("%s: %v %q %v", c.what, typ, payload, ok)
		}
	}
}

// P1: other nodes see a claim in the registry before the claimant does. Who asks it then must
// hear of a publisher, or it would take the stream over.
func TestP1AClaimantIsNotTakenForGone(t *testing.T) {
	in(t, func(t *testing.T, s *Service, r *registry, _ *event.Recorder) {
		if _, ok := s.Silence(name); ok {
			t.Error("a publisher before there was one")
		}
		r.asked = func() {
			time.Sleep(100 * time.Millisecond) // the answer's way
			if d, ok := s.Silence(name); !ok || d != 100*time.Millisecond {
				t.Errorf("silent for %v, %v", d, ok)
			}
		}
		p, err := s.Publish(t.Context(), Request{Name: name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		if _, ok := s.Silence(name); ok {
			t.Error("a publisher after it has left")
		}
	})
}
