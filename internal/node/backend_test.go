package node_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// A server that a front has chosen may be hostile. The front goes on to the next
// one, says why, and neither its client nor anybody else is the worse for it.
func TestBackendIsAStranger(t *testing.T) {
	cfg, endpoint := embedded(t, "front", config.RoleFront)
	f := start(t, cfg)
	honest := quickConfig("honest")
	honest.Node.Roles = []config.Role{config.RoleOrigin, config.RoleEdge}
	honest.Store.Kind, honest.Store.Endpoints, honest.Store.Secret = config.StoreEtcd, []string{endpoint}, cfg.Store.Secret
	start(t, honest)
	f.sees(t, "honest")
	c := sing(t, f, f)
	// It comes when the canary has its place, and with nothing to do it is the
	// first choice for the next one.
	u := joinUpstream(t, endpoint, "hostile", "origin")
	f.sees(t, "hostile")
	u.cluster.ReportLoad(cluster.Load{})

	accepted := func(then func(s *rtmp.ServerConn, id uint32)) func(net.Conn) {
		return func(nc net.Conn) {
			u.proven(nc, func(s *rtmp.ServerConn, ev rtmp.Event) {
				if ev.Kind == rtmp.EventPublish {
					s.AcceptPublish(ev.Publish, nil)
					then(s, ev.Publish.StreamID)
				}
			})
		}
	}
	cases := []struct {
		name   string
		script func(net.Conn)
		phase  string // in which the front gives the server up
	}{
		{"closes at once", func(nc net.Conn) { nc.Close() }, "place"},
		{"sends garbage", func(nc net.Conn) { nc.Write(bytes.Repeat([]byte{3, 0xff}, 8192)); io.Copy(io.Discard, nc) }, "place"},
		{"says nothing", func(nc net.Conn) { io.Copy(io.Discard, nc) }, "place"},
		{"refuses", func(nc net.Conn) {
			u.proven(nc, func(s *rtmp.ServerConn, ev rtmp.Event) {
				if ev.Kind == rtmp.EventPublish {
					s.RejectPublish(ev.Publish, rtmp.CodePublishRejected, "no")
				}
			})
		}, "place"},
		{"accepts, then closes", accepted(func(s *rtmp.ServerConn, _ uint32) { s.Close() }), "media"},
		{"accepts, then sets chunk size 0", accepted(func(s *rtmp.ServerConn, _ uint32) { s.WriteRaw(rtmp.AppendSetChunkSize(nil, 0)) }), "media"},
		{"accepts, then ends the publish", accepted(func(s *rtmp.ServerConn, id uint32) {
			s.Status(id, rtmp.LevelError, rtmp.CodePublishRejected, "no more", nil)
		}), "media"},
	}
	// What the hostile member brought along stays until the test ends.
	c.rest(t)
	for i, h := range cases {
		t.Run(h.name, func(t *testing.T) {
			u.play(h.script)
			a := newAttack(t, f)
			from := len(f.turn.failures(0))
			name := fmt.Sprint("carried-", i)
			pub := a.connected()
			id, err := pub.CreateStreamNow()
			if err != nil {
				t.Fatal(err)
			}
			pub.SetReadDeadline(time.Now().Add(patience))
			if err := a.ask(pub, id, rtmp.CodePublishStart, "publish", name, "live"); err != nil {
				t.Errorf("the publisher was not carried on: %v", err)
			}
			a.send(pub, rtmp.Video, 0, avcHeader)
			a.send(pub, rtmp.Video, 0, avcKey)
			var failed event.BackendFailed
			if !eventually(patience, func() bool {
				all := f.turn.failures(from)
				i := slices.IndexFunc(all, func(e event.BackendFailed) bool { return e.Node == "hostile" && string(e.Phase) == h.phase })
				if i >= 0 {
					failed = all[i]
				}
				return i >= 0
			}) {
				t.Error("the front does not say that the hostile server failed")
			} else if _, known := failed.Reason.Lookup(); !known || failed.Reason == event.OtherReason || failed.Reason == event.InternalFault {
				t.Errorf("it failed for %q", failed.Reason)
			}
			// The stream is at the honest server now, whole.
			var v *rtmp.ClientConn
			if !eventually(patience, func() bool {
				v = a.connected() // a refused one is closed
				id, err := v.CreateStreamNow()
				return err == nil && a.ask(v, id, rtmp.CodePlayStart, "play", name) == nil
			}) {
				t.Fatal("the stream cannot be played")
			}
			if got := a.next(v, 2); got[0].payload != string(avcHeader) || got[1].payload != string(avcKey) {
				t.Errorf("a viewer begins with %x, %x", got[0].payload, got[1].payload)
			}
			a.leave()
			a.close()
			u.hangUp()
			c.unharmed(t)
		})
	}
}
