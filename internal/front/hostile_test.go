package front_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"weir/rtmp"
)

// after runs a conversation up to the first event of a kind, and then does what a
// hostile server does.
func after(kind rtmp.EventKind, then func(c *rtmp.ServerConn, ev *rtmp.Event)) func(net.Conn) {
	return func(nc net.Conn) {
		c := rtmp.NewServerConn(nc, rtmp.Options{})
		if c.Handshake() != nil {
			return
		}
		if _, err := c.ReadConnect(); err != nil {
			return
		}
		if kind == 0 {
			then(c, nil)
			return
		}
		if c.AcceptConnect(nil) != nil {
			return
		}
		for {
			ev, err := c.Next()
			if err != nil {
				return
			}
			if ev.Kind == kind || kind == rtmp.EventPublish && ev.Kind == rtmp.EventPlay {
				then(c, &ev)
				return
			}
		}
	}
}

// A server may do what it likes: its client goes on at the next one, or gets an answer in time.
func TestForeignServerIsHostile(t *testing.T) {
	flood := func(c *rtmp.ServerConn) {
		m := rtmp.Message{Type: rtmp.CommandAMF0, Payload: rtmp.AppendCommand(nil, &rtmp.Command{Name: "onBWDone"})}
		for i := 0; c.WriteMessage(&m) == nil; i++ {
			if i%50 == 0 {
				time.Sleep(10 * time.Millisecond) // without end, but not faster than the test's clock
			}
		}
	}
	silent := func(c *rtmp.ServerConn) { io.Copy(io.Discard, c.NetConn()) }
	for name, script := range map[string]func(net.Conn){
		"closes at once":      func(nc net.Conn) {},
		"sends garbage":       func(nc net.Conn) { nc.Write(bytes.Repeat([]byte{3, 0xff}, 8192)); io.Copy(io.Discard, nc) },
		"says nothing":        func(nc net.Conn) { io.Copy(io.Discard, nc) },
		"speaks HTTP":         func(nc net.Conn) { nc.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); io.Copy(io.Discard, nc) },
		"closes at connect":   after(0, func(*rtmp.ServerConn, *rtmp.Event) {}),
		"does not answer":     after(0, func(c *rtmp.ServerConn, _ *rtmp.Event) { silent(c) }),
		"answers without end": after(0, func(c *rtmp.ServerConn, _ *rtmp.Event) { flood(c) }),
		"announces a huge one": after(0, func(c *rtmp.ServerConn, _ *rtmp.Event) {
			c.WriteRaw([]byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0})
			silent(c)
		}),
		"closes at the wish":   after(rtmp.EventPublish, func(*rtmp.ServerConn, *rtmp.Event) {}),
		"leaves the wish open": after(rtmp.EventPublish, func(c *rtmp.ServerConn, _ *rtmp.Event) { silent(c) }),
		"talks at the wish":    after(rtmp.EventPublish, func(c *rtmp.ServerConn, _ *rtmp.Event) { flood(c) }),
		"redirects":            after(0, func(c *rtmp.ServerConn, _ *rtmp.Event) { c.RejectConnect("RTMP 302 Redirect", nil); silent(c) }),
		"accepts and goes":     after(rtmp.EventPublish, func(c *rtmp.ServerConn, ev *rtmp.Event) { accept(c, ev) }),
		"accepts, then chunks 0": after(rtmp.EventPublish, func(c *rtmp.ServerConn, ev *rtmp.Event) {
			accept(c, ev)
			c.WriteRaw(rtmp.AppendSetChunkSize(nil, 0))
			silent(c)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			behind(t, nil, func(t *testing.T, w *foreignFleet) {
				canary := w.Publish(w.fronts[1], bob, 1)
				w.use(w.b, w.a)
				elapse(time.Second)
				watch := w.View(w.fronts[1], bob, nil)
				elapse(time.Second) // it is there
				w.a.script = script
				w.use(w.a, w.b)
				pub := w.Publish(w.fronts[0], alice, 1)
				elapse(9 * time.Second)
				if over, err := pub.Ended(); over || !w.b.has("alice") {
					t.Errorf("the publisher did not go on elsewhere: %v %v", over, err)
				}
				// Both hostile: an answer.
				w.use(w.a)
				second := w.Publish(w.fronts[0], carol, 1)
				v := w.View(w.fronts[0], carol, nil)
				elapse(45 * time.Second)
				for what, run := range map[string]interface{ Ended() (bool, error) }{"publisher": second, "viewer": v} {
					if over, err := run.Ended(); !over || err == nil {
						t.Errorf("the %s has no answer: %v %v", what, over, err)
					}
				}
				if over, err := canary.Ended(); over {
					t.Errorf("the canary was ended: %v", err)
				}
				if r := watch.Report(); time.Since(r.Last) > time.Second || r.Lost > 0 {
					t.Errorf("the canary's viewer: %+v", r)
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				if m.HeapAlloc > 512<<20 {
					t.Errorf("%d MiB of heap", m.HeapAlloc>>20)
				}
			})
		})
	}
}

func accept(c *rtmp.ServerConn, ev *rtmp.Event) {
	if ev.Kind == rtmp.EventPublish {
		c.AcceptPublish(ev.Publish, nil)
	} else {
		c.AcceptPlay(ev.Play, nil)
	}
}

// Without a server, the answer says so.
func TestNoForeignServer(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.use()
		pub, v := w.Publish(w.fronts[0], alice, 1), w.View(w.fronts[0], alice, nil)
		elapse(time.Second)
		for code, run := range map[string]interface{ Ended() (bool, error) }{rtmp.CodePublishRejected: pub, rtmp.CodePlayFailed: v} {
			over, err := run.Ended()
			var refused *rtmp.StatusError
			if !over || !errors.As(err, &refused) || refused.Status.Code != code || refused.Status.Description == "" {
				t.Errorf("%s: %v %v", code, over, err)
			}
		}
	})
}
