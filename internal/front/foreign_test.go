package front_test

import (
	"bytes"
	"errors"
	stdnet "net"
	"runtime"
	"testing"
	"time"

	"weir/amf"
	"weir/internal/front"
	"weir/internal/media/mediatest"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

func TestForeignServerHearsTheClientItself(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		nc, err := w.Net.Dial(t.Context(), w.fronts[0].Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		said := amf.Object{{Key: "app", Value: "live?token=t"}, {Key: "flashVer", Value: "FMLE/3.0 (compatible; own)"}, {Key: "tcUrl", Value: "rtmp://media.example/live?token=t"},
			{Key: "swfUrl", Value: "http://s/"}, {Key: "pageUrl", Value: "http://p/"}, {Key: "fourCcList", Value: amf.StrictArray{"hvc1"}}, {Key: "capsEx", Value: 3.0},
			{Key: "own", Value: "x"}, {Key: "objectEncoding", Value: 0.0}}
		if _, err := c.Connect(&rtmp.Connect{App: "live", Query: "token=t", TCURL: "rtmp://media.example/live?token=t", Object: said, Args: []any{"user", 7.0}}); err != nil {
			t.Fatal(err)
		}
		id, err := c.CreateStreamNow()
		if err != nil {
			t.Fatal(err)
		}
		c.Send(id, "publish", "alice?key=k", "record", "more")
		elapse(time.Second)
		meta := rtmp.AppendCommand(nil, &rtmp.Command{Name: "x"})[:0]
		meta = append(meta, "\x02\x00\x0d@setDataFrame\x02\x00\x0aonMetaData\x03\x00\x00\x09"...)
		c.WriteMessage(&rtmp.Message{Type: rtmp.DataAMF0, StreamID: id, Payload: meta})
		elapse(time.Second)
		w.a.mu.Lock()
		defer w.a.mu.Unlock()
		if len(w.a.connects) != 1 || len(w.a.publishes) != 1 || len(w.a.data) != 1 {
			t.Fatalf("%d connects, %d publishes, %d data", len(w.a.connects), len(w.a.publishes), len(w.a.data))
		}
		got := w.a.connects[0]
		for i, p := range said {
			if i >= len(got.Object) || got.Object[i].Key != p.Key || p.Key != "fourCcList" && got.Object[i].Value != p.Value {
				t.Fatalf("got %v\nwant %v", got.Object, said)
			}
		}
		if len(got.Args) != 2 || got.Args[0] != "user" || got.Args[1] != 7.0 {
			t.Errorf("arguments %v", got.Args)
		}
		if p := w.a.publishes[0]; p.Name != "alice" || p.Query != "key=k" || p.Type != "record" || len(p.Args) != 3 || p.Args[2] != "more" {
			t.Errorf("publish %+v", p)
		}
		if !bytes.Equal(w.a.data[0], meta) {
			t.Errorf("metadata %q", w.a.data[0])
		}
	})
}

// The publisher notices nothing; a viewer of the new server, that waits there, gets
// the stream from the last key frame on, with the same times.
func TestP3ForeignServersDeathIsNotSeenByItsPublisher(t *testing.T) {
	for _, c := range []struct {
		what string
		die  func(w *foreignFleet)
		gap  time.Duration
	}{
		{"killed", func(w *foreignFleet) { w.a.kill() }, 500 * time.Millisecond},
		{"frozen", func(w *foreignFleet) { w.a.freeze() }, 2500 * time.Millisecond},
		{"drained", func(w *foreignFleet) { w.use(w.b); w.f[0].Evacuate("a", true); w.f[1].Evacuate("a", true) }, 1100 * time.Millisecond},
		{"down", func(w *foreignFleet) { w.use(w.b); w.f[0].Evacuate("a", false); w.f[1].Evacuate("a", false) }, 500 * time.Millisecond},
	} {
		t.Run(c.what, func(t *testing.T) {
			behind(t, nil, func(t *testing.T, w *foreignFleet) {
				w.book.same = true
				pub := w.Publish(w.fronts[0], alice, 1)
				elapse(time.Second)
				viewers := []*mediatest.Viewer{w.View(w.fronts[0], alice, nil), w.View(w.fronts[1], alice, nil)}
				elapse(3*time.Second + 500*time.Millisecond)
				for _, v := range viewers {
					if r := v.Report(); r.Video == 0 || time.Since(r.Last) > time.Second {
						t.Fatalf("before: %+v", r)
					}
				}
				c.die(w)
				elapse(c.gap + time.Second)
				if over, err := pub.Ended(); over {
					t.Fatalf("the publisher was ended: %v", err)
				}
				if !w.b.has("alice") {
					t.Fatal("the other server does not have it")
				}
				if at, ok := w.desk.At(alice); !ok || at.Server != "b" {
					t.Errorf("the registry says %+v %v", at, ok)
				}
				elapse(2 * time.Second)
				for i, v := range viewers {
					if over, err := v.Ended(); over {
						t.Fatalf("viewer %d was ended: %v", i, err)
					}
					r := v.Report()
					if time.Since(r.Last) > time.Second || r.LongestGap > c.gap+time.Second {
						t.Errorf("viewer %d: longest gap %v, last frame %v ago", i, r.LongestGap, time.Since(r.Last))
					}
					if r.Foreign != 0 || r.Doubled != 0 || c.what == "drained" && r.Lost > 0 {
						t.Errorf("viewer %d saw %s", i, r.Faults())
					}
				}
				moved := event.Of[event.BackendChanged](w.fronts[0].Rec)
				if len(moved) == 0 || moved[0].From != "a" || moved[0].To != "b" || w.book.count(w.book.moved, "a") == 0 {
					t.Errorf("moved: %+v", moved)
				}
			})
		})
	}
}

func TestP1OnePublisherAtForeignServers(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		first := w.Publish(w.fronts[0], alice, 1)
		elapse(time.Second)
		w.use(w.b, w.a) // the second front would go elsewhere
		second := w.Publish(w.fronts[1], alice, 2)
		elapse(time.Second)
		over, err := second.Ended()
		var refused *rtmp.StatusError
		if !over || !errors.As(err, &refused) || refused.Status.Code != rtmp.CodePublishBadName {
			t.Errorf("the second: %v %v", over, err)
		}
		if over, err := first.Ended(); over || w.b.has("alice") {
			t.Errorf("the first: %v %v", over, err)
		}
		// When the claim is another's, the publisher is told.
		w.desk.take(alice)
		elapse(time.Second)
		if over, _ := first.Ended(); !over {
			t.Error("it publishes after the loss")
		}
		closed := event.Of[event.SessionClosed](w.fronts[0].Rec)
		if len(closed) != 1 || closed[0].Reason != event.TakenOver {
			t.Errorf("closed: %+v", closed)
		}
		if w.a.has("alice") {
			t.Error("it is still published")
		}
	})
}

func TestForeignRefusalIsPassedOn(t *testing.T) {
	refuse := func(s *stranger, code string) {
		s.script = func(nc stdnet.Conn) {
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
				switch ev.Kind {
				case rtmp.EventPublish:
					c.RejectPublish(ev.Publish, code, "because")
				case rtmp.EventPlay:
					c.RejectPlay(ev.Play, code, "because")
				}
			}
		}
	}
	for _, code := range []string{rtmp.CodePublishBadName, rtmp.CodePublishDenied, rtmp.CodePublishRejected, rtmp.CodePlayStreamNotFound, rtmp.CodePlayFailed, "NetStream.Own.Code"} {
		t.Run(code, func(t *testing.T) {
			behind(t, nil, func(t *testing.T, w *foreignFleet) {
				refuse(w.a, code)
				refuse(w.b, code)
				for what, run := range map[string]*mediatest.Run{"publisher": w.Publish(w.fronts[0], alice, 1), "viewer": w.View(w.fronts[0], stream.Name{App: "live", Stream: "b"}, nil).Run} {
					elapse(4 * time.Second)
					over, err := run.Ended()
					var refused *rtmp.StatusError
					if !over || !errors.As(err, &refused) || refused.Status.Code != code {
						t.Errorf("%s: %v %v", what, over, err)
					}
				}
				if n := w.book.count(w.book.failed, "a"); n != 0 {
					t.Errorf("a server that answers counts as failed %d times", n)
				}
			})
		})
	}
}

// A viewer that came before its stream finds it wherever it is published.
func TestForeignViewerWaitsForItsStream(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		v := w.View(w.fronts[1], alice, nil) // at a
		elapse(time.Second)
		w.use(w.b, w.a)
		pub := w.Publish(w.fronts[0], alice, 1)
		elapse(3 * time.Second)
		healthy(t, v)
		if v.Report().Video == 0 || w.a.has("alice") {
			t.Errorf("%+v", v.Report())
		}
		pub.Stop()
		elapse(4 * time.Second)
		if over, _ := v.Ended(); !over {
			t.Error("the viewer is not told that its stream has ended")
		}
	})
}

// A server is drained for as long as its operator likes, and nobody else has the stream:
// what is tried for its viewer each second leaves nothing behind.
func TestADrainThatMovesNobodyLeavesNothing(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.use(w.a)
		w.Publish(w.fronts[0], alice, 1)
		elapse(time.Second)
		v := w.View(w.fronts[1], alice, nil)
		elapse(3 * time.Second)
		w.f[1].Evacuate("a", true)
		elapse(10 * time.Second)
		before := runtime.NumGoroutine()
		elapse(time.Minute)
		if now := runtime.NumGoroutine(); now > before+10 {
			t.Errorf("%d goroutines, %d a minute before", now, before)
		}
		if over, err := v.Ended(); over {
			t.Errorf("the viewer was ended: %v", err)
		}
	})
}

func TestForeignPreamble(t *testing.T) {
	for how, want := range map[front.Announce]string{front.AnnounceProxyV1: "PROXY TCP4 ", front.AnnounceProxyV2: "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", front.AnnounceSRS: "\xf3\x00\x04"} {
		behind(t, nil, func(t *testing.T, w *foreignFleet) {
			w.announce = how
			got := make(chan string, 8)
			w.a.script = func(nc stdnet.Conn) {
				b := make([]byte, len(want))
				nc.Read(b)
				got <- string(b)
			}
			w.use(w.a)
			w.Publish(w.fronts[0], alice, 1)
			w.View(w.fronts[0], alice, nil)
			elapse(10 * time.Second)
			for range 2 {
				if g := <-got; g != want {
					t.Errorf("%s: %q", how, g)
				}
			}
		})
	}
}
