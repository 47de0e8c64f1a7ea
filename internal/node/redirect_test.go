package node_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"weir/amf"
	"weir/internal/bench/stamp"
	"weir/internal/ops/config"
	"weir/rtmp"
)

// follower is a client that follows redirections: it plays at a front, and then wherever that sends it.
type follower struct {
	t    *testing.T
	went string // HOST:PORT that it was sent to
}

// play asks for a stream and returns where it was told to go, if it was, else nothing.
func (f *follower) play(c *rtmp.ClientConn, app, name string) (to string) {
	f.t.Helper()
	if _, err := c.Connect(&rtmp.Connect{App: app, TCURL: "rtmp://front/" + app, FlashVer: "Follower 1"}); err != nil {
		f.t.Fatal(err)
	}
	id, err := c.CreateStreamNow()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := c.Send(id, "play", name); err != nil {
		f.t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(patience))
	for {
		m, err := c.ReadMessage()
		if err != nil {
			f.t.Fatalf("neither media nor a redirection: %v", err)
		}
		if m.Type == rtmp.Video {
			return ""
		}
		if m.Type != rtmp.CommandAMF0 {
			continue
		}
		cmd, err := rtmp.ParseCommand(m, amf.Limits{})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, a := range cmd.Args {
			o, _ := a.(amf.Object)
			if ex, ok := o.Get("ex").(amf.Object); ok && ex.Number("code") == 302 {
				return ex.String("redirect")
			}
		}
	}
}

func (f *follower) dial(addr string) *rtmp.ClientConn {
	f.t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { nc.Close() })
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// follow plays at addr, follows, and has to get pictures there.
func (f *follower) follow(addr, app, name string) {
	f.t.Helper()
	to := f.play(f.dial(addr), app, name)
	rest, ok := strings.CutPrefix(to, "rtmp://")
	host, path, _ := strings.Cut(rest, "/")
	if !ok || path != app {
		f.t.Fatalf("told to go to %q", to)
	}
	if f.went = host; f.play(f.dial(host), path, name) != "" {
		f.t.Fatal("redirected again")
	}
}

// The front dials a backend at an address of its own network; clients are sent to the public one.
func TestRedirectsGoToThePublicAddress(t *testing.T) {
	server := quickConfig("server") // alone: to the front it is anybody's server
	server.RTMP.Listen = "0.0.0.0:0"
	behind := start(t, server)
	_, port, err := net.SplitHostPort(behind.addr)
	if err != nil {
		t.Fatal(err)
	}
	s := quickServer("edge1", "127.0.0.1:"+port, "", config.LoadNone, "")
	s.Public = new("127.0.0.2:" + port)
	cfg := quickConfig("front")
	cfg.Node.Roles, cfg.Admin.Listen = []config.Role{config.RoleFront}, "127.0.0.1:0"
	cfg.Front.Redirect, cfg.Front.Backends.Servers = []string{"flashver:Follower"}, []config.Server{s}
	f := start(t, cfg)
	publish(t, f.addr, "live/a", stamp.Shape{})
	c := follower{t: t}
	c.follow(f.addr, "live", "a")
	if c.went != "127.0.0.2:"+port {
		t.Errorf("sent to %s", c.went)
	}
	if b := f.backend(t, "edge1"); b.Addresses.Public != "127.0.0.2:"+port {
		t.Errorf("operators are told %+v", b.Addresses)
	}
}

// A node of the cluster says its public address itself.
func TestRedirectsGoToANodesPublicAddress(t *testing.T) {
	cfg, endpoint := embedded(t, "front", config.RoleFront)
	cfg.Front.Redirect = []string{"flashver:Follower"}
	f := start(t, cfg)
	node := quickConfig("n1")
	node.Node.Roles, node.Node.Public = []config.Role{config.RoleOrigin, config.RoleEdge}, "127.0.0.2"
	node.RTMP.Listen = "0.0.0.0:0"
	node.Store.Kind, node.Store.Endpoints, node.Store.Secret = config.StoreEtcd, []string{endpoint}, cfg.Store.Secret
	n := start(t, node)
	f.sees(t, "n1")
	publish(t, f.addr, "live/a", stamp.Shape{})
	c := follower{t: t}
	c.follow(f.addr, "live", "a")
	_, port, _ := net.SplitHostPort(n.addr)
	if c.went != "127.0.0.2:"+port {
		t.Errorf("sent to %s", c.went)
	}
}
