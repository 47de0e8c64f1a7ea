package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/proctest"
)

// publishFrom publishes a stamped stream from a local address and returns the address that it
// had; it ends with the test.
func publishFrom(t *testing.T, local, url, name string) string {
	t.Helper()
	addr, ended := make(chan string, 1), make(chan error, 1)
	accepted := make(chan struct{})
	go func() {
		ended <- stamp.Publish(t.Context(), stamp.PublishOptions{URL: url, Accepted: func() { close(accepted) },
			Feed: stamp.NewSource("live/"+name, 1, stamp.Shape{VideoBitrate: 200_000, FrameRate: 25, GOP: time.Second}),
			Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
				nc, err := d.DialContext(ctx, network, to)
				if err == nil {
					addr <- nc.LocalAddr().String()
				}
				return nc, err
			}})
	}()
	select {
	case <-accepted:
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("the publisher is not accepted")
	}
	t.Cleanup(func() { <-ended })
	return <-addr
}

// Behind HAProxy with either version of the header, the node knows its clients.
func TestProxyProtocolFromHAProxy(t *testing.T) {
	n := startNode(t, nodeOptions{name: "alone", roles: "front,origin,edge", config: "rtmp:\n  proxy_protocol: {trust: [127.0.0.1]}\n"})
	v1, v2 := proctest.Addr(t), proctest.Addr(t)
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
listen v1
    bind %s
    server weir %s check send-proxy
listen v2
    bind %s
    server weir %s check send-proxy-v2
`, v1, n.listening["rtmp"], v2, n.listening["rtmp"]), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "haproxy", tool(t, "haproxy"), "-db", "-f", conf)
	for name, addr := range map[string]string{"v1": v1, "v2": v2} {
		eventually(t, "haproxy listens", accepts(addr))
		from := publishFrom(t, "127.0.0.1", "rtmp://"+addr+"/live/"+name, name)
		eventually(t, "the node names the client", func() error {
			for _, line := range strings.Split(string(n.log.From(0)), "\n") {
				if strings.Contains(line, `"publish started"`) && strings.Contains(line, `"remote":"`+from+`"`) {
					return nil
				}
			}
			return errors.New("no line with " + from)
		})
		v, err := stamp.NewViewer(stamp.ViewOptions{URL: "rtmp://" + addr + "/live/" + name})
		if err != nil {
			t.Fatal(err)
		}
		go v.Run(t.Context())
		eventually(t, "the stream plays through haproxy", func() error {
			if r := v.Report(); r.Video < 25 || r.Faults() != "" {
				return fmt.Errorf("%+v", r)
			}
			return nil
		})
	}
	// Past the proxy, as a proxy would: an operator reads why.
	nc, err := net.Dial("tcp", n.listening["rtmp"])
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.Write(append([]byte{3}, make([]byte, 1536)...))
	eventually(t, "it is refused", func() error {
		if !strings.Contains(string(n.log.From(0)), "bad-proxy-header") {
			return errors.New("not yet")
		}
		return nil
	})
}

// nginx-rtmp behind a front knows the clients, if it is told.
func TestProxyProtocolToNginx(t *testing.T) {
	dir, addr := t.TempDir(), proctest.Addr(t)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off; master_process off; error_log stderr warn; pid %s/pid;
events { worker_connections 256; }
rtmp { server { listen %s proxy_protocol; access_log %s/access.log; application live { live on; } } }
`, nginxModule, dir, addr, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "nginx", nginxRTMP(t), "-p", dir, "-c", conf)
	eventually(t, "nginx listens", accepts(addr))
	f := startNode(t, nodeOptions{name: "front", roles: "front", config: fmt.Sprintf(
		"front:\n  play: carry\n  backends:\n    defaults: {announce: proxy-v1, check: {kind: tcp}}\n    servers: [{name: n, rtmp: %q}]\n", addr)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	publishFrom(t, "127.0.0.1", f.target("live", "a").url(), "a")
	v, err := stamp.NewViewer(stamp.ViewOptions{URL: f.target("live", "a").url(), Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 77)}}).DialContext(ctx, network, to)
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		v.Run(ctx)
		close(done)
	}()
	eventually(t, "the viewer plays", func() error {
		if r := v.Report(); r.Video < 10 {
			return fmt.Errorf("%+v", r)
		}
		return nil
	})
	cancel()
	<-done
	eventually(t, "nginx logs the viewer's address", func() error {
		b, err := os.ReadFile(filepath.Join(dir, "access.log"))
		if err == nil && !strings.Contains(string(b), "127.0.0.77 ") {
			err = fmt.Errorf("%s", b)
		}
		return err
	})
}
