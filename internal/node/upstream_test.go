package node_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"weir/amf"
	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/media/member"
	"weir/internal/ops/config"
	"weir/internal/ops/secret"
	"weir/internal/proctest"
	"weir/internal/stream"
	"weir/rtmp"
)

const upstreamSecret = "the secret of all nodes of this test"

// upstream is a member of a cluster that is not to be trusted with more than its
// place in it: it owns streams, and does with whoever comes for them what script
// says.
type upstream struct {
	t       *testing.T
	cluster *cluster.Cluster
	ln      net.Listener

	mu     sync.Mutex
	script func(nc net.Conn)
	conns  []net.Conn
	wg     sync.WaitGroup
}

// joinUpstream makes a hostile member of the cluster whose store is at endpoint.
func joinUpstream(t *testing.T, endpoint, name string, roles ...string) *upstream {
	t.Helper()
	st, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.New(cluster.Options{Store: st, Secret: []byte(upstreamSecret), Self: cluster.NodeRecord{
		Name: name, Roles: roles, Addresses: cluster.Addresses{RTMP: ln.Addr().String()}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	u := &upstream{t: t, cluster: c, ln: ln, script: func(nc net.Conn) { nc.Close() }}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			u.mu.Lock()
			u.conns = append(u.conns, nc)
			script := u.script
			u.mu.Unlock()
			u.wg.Go(func() { script(nc) })
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-accepting
		u.hangUp()
		c.Close()
		st.Close()
	})
	return u
}

func (u *upstream) play(script func(nc net.Conn)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.script = script
}

// hangUp closes all connections and waits for their scripts.
func (u *upstream) hangUp() {
	u.mu.Lock()
	conns := u.conns
	u.conns = nil
	u.mu.Unlock()
	for _, nc := range conns {
		nc.Close()
	}
	u.wg.Wait()
}

// proven takes a node's connection to where it asks for something: handshake,
// connect, the proof, and createStream.
func (u *upstream) proven(nc net.Conn, then func(s *rtmp.ServerConn, ev rtmp.Event)) {
	s := rtmp.NewServerConn(nc, rtmp.Options{HandUp: []string{member.CommandProve, member.CommandQuery}})
	if s.Handshake() != nil {
		return
	}
	req, err := s.ReadConnect()
	if err != nil {
		return
	}
	proof, reply, ok := member.Challenge([]byte(upstreamSecret), u.cluster.Self().Name, req.Object)
	if !ok || s.AcceptConnect(reply) != nil {
		return
	}
	for {
		ev, err := s.Next()
		if err != nil {
			return
		}
		if ev.Kind == rtmp.EventCommand && ev.Command.Name == member.CommandProve {
			text, _ := ev.Command.String(0)
			if _, err := proof.Verify(text); err != nil {
				return
			}
			s.SetMaxStreams(256)
			s.Reply(ev.Command)
			continue
		}
		then(s, ev)
	}
}

// fed is a script that accepts the play as an owner does, and then misbehaves.
func (u *upstream) fed(then func(s *rtmp.ServerConn, id uint32)) func(net.Conn) {
	return func(nc net.Conn) {
		u.proven(nc, func(s *rtmp.ServerConn, ev rtmp.Event) {
			if ev.Kind != rtmp.EventPlay {
				return
			}
			name, _ := stream.ParseName(ev.Play.Name)
			rec, _ := u.cluster.Known(name)
			s.AcceptPlay(ev.Play, member.FeedFacts{Epoch: rec.Epoch}.Object())
			s.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: ev.Play.StreamID, Payload: avcHeader})
			s.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: ev.Play.StreamID, Payload: avcKey})
			then(s, ev.Play.StreamID)
		})
	}
}

// embedded is a node's configuration with a store of its own that others reach.
func embedded(t *testing.T, name string, roles ...config.Role) (config.Config, string) {
	t.Helper()
	endpoint := proctest.Addr(t)
	cfg := quickConfig(name)
	cfg.Node.Roles = roles
	cfg.Store.Kind, cfg.Store.Listen, cfg.Store.Dir, cfg.Store.Secret = config.StoreEmbedded, endpoint, t.TempDir(), secret.New(upstreamSecret)
	return cfg, endpoint
}

// An owner that an edge pulls from is a stranger too: whatever it does, it ends
// its own stream, under a name, and nothing else.
func TestUpstreamIsAStranger(t *testing.T) {
	cfg, endpoint := embedded(t, "edge", config.RoleOrigin, config.RoleEdge)
	n := start(t, cfg)
	u := joinUpstream(t, endpoint, "hostile", "origin")
	c := sing(t, n, n)
	media := func(id uint32, payload []byte) []byte { return message(rtmp.Video, id, payload) }
	cases := []struct {
		name   string
		script func(net.Conn)
		reason string // of "pull ended"
	}{
		{"sets chunk size 0", u.fed(func(s *rtmp.ServerConn, _ uint32) { s.WriteRaw(rtmp.AppendSetChunkSize(nil, 0)) }), "bad-chunk-size"},
		{"sends a short control message", u.fed(func(s *rtmp.ServerConn, _ uint32) { s.WriteRaw(controlMessage(rtmp.UserControl, 0)) }), "short-control"},
		{"announces 16 MB", u.fed(func(s *rtmp.ServerConn, id uint32) { s.WriteRaw(chunk(0, 6, head(0, 1<<24-1, rtmp.Video, id)...)) }), "message-too-large"},
		{"sends nested AMF", u.fed(func(s *rtmp.ServerConn, _ uint32) {
			s.WriteRaw(message(rtmp.CommandAMF0, 0, append(command("x", 1.0), bytes.Repeat([]byte{3, 0, 1, 'k'}, 4000)...)))
		}), "bad-command"},
		{"sends a bad aggregate", u.fed(func(s *rtmp.ServerConn, id uint32) { s.WriteRaw(message(rtmp.Aggregate, id, []byte{1, 2, 3})) }), "bad-aggregate"},
		{"opens 1,000 chunk streams", u.fed(func(s *rtmp.ServerConn, id uint32) {
			s.WriteRaw(rtmp.AppendSetChunkSize(nil, 128))
			for k := range uint32(1000) {
				s.WriteRaw(chunk(0, 3+k, append(head(0, 1000, rtmp.Video, id), make([]byte, 128)...)...))
			}
		}), "too-many-chunk-streams"},
		{"sends empty messages without end", u.fed(func(s *rtmp.ServerConn, id uint32) {
			wire := bytes.Repeat(media(id, nil), 1<<12)
			for s.WriteRaw(wire) == nil {
			}
		}), "chunk-work"},
		{"breaks in mid-message", u.fed(func(s *rtmp.ServerConn, id uint32) {
			s.WriteRaw(chunk(0, 6, append(head(0, 1000, rtmp.Video, id), 1, 2, 3)...))
			s.Close()
		}), "truncated"},
		{"stops, and answers no ping", u.fed(func(s *rtmp.ServerConn, _ uint32) { io.Copy(io.Discard, s.NetConn()) }), "source-silent"},
		{"closes", u.fed(func(s *rtmp.ServerConn, _ uint32) { s.Close() }), "source-lost"},
		{"sends rubbish for media, then unpublishes", u.fed(func(s *rtmp.ServerConn, id uint32) {
			for _, body := range [][]byte{{}, {0x17}, {0x90}, {0x96, 0x11}, {0x97, 0xff}, bytes.Repeat([]byte{0xff}, 1<<20)} {
				s.WriteRaw(media(id, body))
				s.WriteRaw(message(rtmp.Audio, id+7, body))
			}
			s.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: id, Timestamp: math.MaxUint32, Payload: avcKey})
			s.Status(id, rtmp.LevelStatus, rtmp.CodePlayUnpublishNotify, "over", nil)
		}), "unpublished"},
	}
	for i, h := range cases {
		t.Run(h.name, func(t *testing.T) {
			u.play(h.script)
			name := stream.Name{App: "live", Stream: fmt.Sprint("hostile-", i)}
			own, err := u.cluster.Claim(context.Background(), name, cluster.Facts{})
			if err != nil {
				t.Fatal(err)
			}
			a := newAttack(t, n)
			v := a.connected()
			id, err := v.CreateStreamNow()
			if err != nil {
				t.Fatal(err)
			}
			v.SetReadDeadline(time.Now().Add(patience))
			if err := a.ask(v, id, rtmp.CodePlayStart, "play", name.Stream); err != nil {
				t.Error(err)
			}
			if l, ok := n.log.wait(patience, func(l line) bool { return l.n >= a.from && l.msg == "pull ended" }); !ok || l.attrs["reason"] != h.reason {
				t.Errorf("the pull ended for %q (%s), want %q", l.attrs["reason"], l.attrs["err"], h.reason)
			}
			own.Release(context.Background())
			if grown := c.grown(); grown > 24<<20 {
				t.Errorf("the heap grew by %d bytes", grown)
			}
			u.hangUp()
			a.leave()
			a.close()
			c.unharmed(t)
		})
	}
}

// Owners that never come to feeding, many at once: their viewers are told so in
// the end, and until then nobody else waits.
func TestUpstreamNeverFeeds(t *testing.T) {
	cfg, endpoint := embedded(t, "edge", config.RoleOrigin, config.RoleEdge)
	n := start(t, cfg)
	cases := []struct {
		name   string
		script func(*upstream, net.Conn)
	}{
		{"closes at once", func(u *upstream, nc net.Conn) { nc.Close() }},
		{"talks HTTP", func(u *upstream, nc net.Conn) { io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n") }},
		{"sends garbage", func(u *upstream, nc net.Conn) { nc.Write(bytes.Repeat([]byte{3, 0xff}, 8192)); io.Copy(io.Discard, nc) }},
		{"says nothing", func(u *upstream, nc net.Conn) { io.Copy(io.Discard, nc) }},
		{"does not know the secret", func(u *upstream, nc net.Conn) {
			s := rtmp.NewServerConn(nc, rtmp.Options{})
			if s.Handshake() == nil {
				if _, err := s.ReadConnect(); err == nil {
					s.AcceptConnect(amf.Object{{Key: "weir", Value: amf.Object{{Key: "node", Value: "hostile"},
						{Key: "nonce", Value: "00000000000000000000000000000000"}, {Key: "proof", Value: "00"}}}})
				}
			}
			io.Copy(io.Discard, nc)
		}},
		{"answers connect with nested AMF", func(u *upstream, nc net.Conn) {
			s := rtmp.NewServerConn(nc, rtmp.Options{})
			if s.Handshake() == nil {
				s.ReadConnect()
				p := append(command("_result", 1.0), bytes.Repeat([]byte{3, 0, 1, 'k'}, 10_000)...)
				s.WriteMessage(&rtmp.Message{Type: rtmp.CommandAMF0, Payload: p})
			}
			io.Copy(io.Discard, nc)
		}},
		{"says that it has no such stream", func(u *upstream, nc net.Conn) {
			u.proven(nc, func(s *rtmp.ServerConn, ev rtmp.Event) {
				if ev.Kind == rtmp.EventPlay {
					s.RejectPlay(ev.Play, rtmp.CodePlayStreamNotFound, "no")
				}
			})
		}},
		{"feeds without an epoch", func(u *upstream, nc net.Conn) {
			u.proven(nc, func(s *rtmp.ServerConn, ev rtmp.Event) {
				if ev.Kind == rtmp.EventPlay {
					s.AcceptPlay(ev.Play, nil)
				}
			})
		}},
	}
	upstreams := make([]*upstream, len(cases))
	for i := range cases {
		u := joinUpstream(t, endpoint, fmt.Sprint("hostile-", i), "origin")
		u.play(func(nc net.Conn) { cases[i].script(u, nc) })
		if _, err := u.cluster.Claim(context.Background(), stream.Name{App: "live", Stream: fmt.Sprint("hostile-", i)}, cluster.Facts{}); err != nil {
			t.Fatal(err)
		}
		upstreams[i] = u
	}
	c := sing(t, n, n)
	t.Run("viewers", func(t *testing.T) {
		failed, absent := newAttack(t, n), newAttack(t, n)
		var wg sync.WaitGroup
		for i, h := range cases {
			a, code := failed, rtmp.CodePlayFailed
			if h.name == "says that it has no such stream" {
				a, code = absent, rtmp.CodePlayStreamNotFound
			}
			v := a.connected()
			id, err := v.CreateStreamNow()
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				v.SetReadDeadline(time.Now().Add(patience))
				if err := a.ask(v, id, code, "play", fmt.Sprint("hostile-", i)); err != nil {
					t.Errorf("%s: %v", h.name, err)
				}
			})
		}
		wg.Wait()
		failed.leave()
		absent.leave()
		failed.closings("source-lost")
		absent.closings("not-found")
		for _, u := range upstreams {
			u.hangUp()
		}
		c.unharmed(t)
	})
}
