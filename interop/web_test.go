package interop_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/internal/proctest"

	"github.com/coder/websocket"
)

// site is an nginx as seeds/003 has media servers: it takes streams by RTMP, serves them
// as HLS, has pages with sessions in a cookie, and passes WebSockets on to an application.
type site struct {
	*process
	name, rtmp, http string
}

func startSite(t *testing.T, name, application string) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{name: name, rtmp: proctest.Addr(t), http: proctest.Addr(t)}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off; master_process off; error_log stderr warn; pid %s/pid;
events { worker_connections 1024; }
rtmp { server { listen %s; chunk_size 4096; access_log off;
  application live { live on; hls on; hls_path %s/live; hls_fragment 1s; hls_playlist_length 20s; } } }
http { access_log off; default_type application/octet-stream; types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
  map $cookie_JSESSIONID $known { "" "none"; default $cookie_JSESSIONID; }
  server { listen %s;
    location /stat { rtmp_stat all; }
    location /live/ { root %s; add_header Cache-Control no-cache; }
    location = /login { add_header Set-Cookie "JSESSIONID=of-%s; Path=/"; return 200 "%s\n"; }
    location = /me { return 200 "%s $known $http_x_forwarded_for $http_x_forwarded_proto $host\n"; }
    location = /ws { proxy_pass http://%s; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }
  } }
`, nginxModule, dir, s.rtmp, dir, s.http, dir, name, name, name, application), 0o600); err != nil {
		t.Fatal(err)
	}
	s.process = start(t, name, nginxRTMP(t), "-p", dir, "-c", conf)
	eventually(t, name+" listens", accepts(s.rtmp))
	eventually(t, name+" listens", accepts(s.http))
	return s
}

// startEcho is a WebSocket application that sends everything back.
func startEcho(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, b) != nil {
				return
			}
		}
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

// curl runs Debian's curl and returns what it prints.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := execute(append([]string{tool(t, "curl"), "--silent", "--show-error", "--insecure", "--max-time", "20"}, args...)...)
	if err != nil {
		t.Errorf("curl %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// The HAProxy of seeds/003, feature by feature: TLS ended in front, HTTP sent to https,
// HTTP/2, X-Forwarded-Proto, WebSockets, a cookie with the server's name before the application's
// own, and its RTMP; and HLS from the server that has the stream, which HAProxy cannot know.
func TestHTTPInFrontOfNginx(t *testing.T) {
	t.Parallel()
	echo := startEcho(t)
	sites := map[string]*site{}
	cert, key := certificate(t)
	config := fmt.Sprintf(`
rtmp: {tls: {listen: "127.0.0.1:0"}}
http:
  tls: {listen: "127.0.0.1:0", cert: %q, key: %q}
  redirect_https: 308
front:
  http: {cookie: {name: JSESSIONID, mode: prefix}}
  backends:
    defaults: {kind: nginx-rtmp, check: {kind: tcp, interval: 200ms, fall: 2}}
    servers:
`, cert, key)
	for _, name := range []string{"ams1", "ams2"} {
		s := startSite(t, name, echo)
		sites[name] = s
		config += fmt.Sprintf("      - {name: %s, rtmp: %q, http: %q, load: {kind: nginx, url: \"http://%s/stat\", interval: 500ms}}\n", name, s.rtmp, s.http, s.http)
	}
	front := startNode(t, nodeOptions{name: "front", roles: "front", config: config})
	plain, secure := "http://"+front.listening["http"], "https://"+front.listening["https"]

	if got := curl(t, "--write-out", "%{http_code} %{redirect_url}", "--output", "/dev/null", plain+"/me?x=1"); got != "308 "+secure+"/me?x=1" {
		t.Errorf("plain: %s", got)
	}
	if got := curl(t, "--write-out", "%{http_code}", "--output", "/dev/null", plain+"/healthz"); got != "200" {
		t.Errorf("health: %s", got)
	}
	if got := curl(t, "--http2", "--write-out", " %{http_version}", "--header", "X-Forwarded-For: 198.51.100.7", secure+"/me"); !strings.Contains(got, "none 127.0.0.1 https 127.0.0.1") || !strings.HasSuffix(got, " 2") {
		t.Errorf("what the server is told: %s", got)
	}

	t.Run("cookie", func(t *testing.T) {
		jar := filepath.Join(t.TempDir(), "jar")
		first := curl(t, "--cookie-jar", jar, secure+"/login")
		for range 6 {
			if got := curl(t, "--cookie", jar, "--cookie-jar", jar, secure+"/me"); !strings.HasPrefix(got, first+" of-"+first+" ") {
				t.Errorf("a session of %s: %s", first, got)
			}
		}
		others := map[string]bool{}
		for range 12 {
			who, _, _ := strings.Cut(curl(t, secure+"/me"), " ")
			others[who] = true
		}
		if len(others) != 2 {
			t.Errorf("without a cookie: %v", others)
		}
	})

	t.Run("websocket", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, _, err := websocket.Dial(ctx, "wss://"+front.listening["https"]+"/ws", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if err := c.Write(ctx, websocket.MessageText, []byte("offer")); err != nil {
			t.Fatal(err)
		}
		if _, b, err := c.Read(ctx); err != nil || string(b) != "offer" {
			t.Errorf("%q, %v", b, err)
		}
		c.Close(websocket.StatusNormalClosure, "")
	})

	s := h264Source(t)
	t.Run("hls", func(t *testing.T) {
		publishFFmpeg(t, s, front.target("live", "hanna"))
		publishFFmpegTLS(t, s, front.target("live", "hugo")) // RTMPS, with http's certificate
		for _, name := range []string{"hanna", "hugo"} {
			url := secure + "/live/" + name + ".m3u8"
			eventually(t, name+"'s playlist", func() error {
				if got := curl(t, "--write-out", "%{http_code}", url); !strings.HasSuffix(got, "200") || strings.Count(got, ".ts") < 3 {
					return fmt.Errorf("%.200s", got)
				}
				return nil
			})
			p := ffmpegPlayer(t, s, url, 4, "-tls_verify", "0", "-live_start_index", "0")
			p.player, p.video = "HLS", true
			p.finish(t)
		}
	})

	t.Run("death", func(t *testing.T) {
		jar := filepath.Join(t.TempDir(), "jar")
		first := curl(t, "--cookie-jar", jar, secure+"/login")
		sites[first].signal(syscall.SIGKILL)
		if got := curl(t, "--cookie", jar, secure+"/me"); strings.HasPrefix(got, first) || !strings.Contains(got, " of-"+first+" ") {
			t.Errorf("a session of %s, which is dead: %q", first, got)
		}
		for range 10 {
			if got := curl(t, "--write-out", "%{http_code}", "--output", "/dev/null", secure+"/me"); got != "200" {
				t.Errorf("with one of two: %s", got)
			}
		}
	})
}

// HTTP-FLV through a front that has nothing itself.
func TestHTTPFLVThroughTheFront(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	s := h264Source(t)
	publishFFmpeg(t, s, c.front.target("live", "gina"))
	c.front.published(t, "live", "gina")
	url := "http://" + c.front.listening["http"] + "/live/gina.flv"
	var all []*playing
	for range 3 {
		p := ffmpegPlayer(t, s, url, 4)
		p.player = "HTTP-FLV"
		all = append(all, p)
	}
	for _, p := range all {
		p.finish(t)
	}
}
