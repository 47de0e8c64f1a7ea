package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/ops/secret"
)

// heartbeat is what SRS sends (CONTRACTS §5), with summaries as /api/v1/summaries has them.
const heartbeat = `{"device_id": "origin1", "ip": "10.78.122.184", "server": "vid-46p14mm", "service": "z2s3w865", "pid": "42583",
	"rtmp": ["19352"], "http": ["8082"], "api": ["19853"], "srt": ["10082"], "rtc": ["udp://0.0.0.0:8001"]%s}`

const summary = `, "summaries": {"code": 0, "server": "vid-46p14mm", "data": {"ok": true, "now_ms": 1, "self": {"cpu_percent": 0.5}, "system":
	{"cpu_percent": 0.25, "net_sample_time": %d, "net_send_bytes": %d, "net_recv_bytes": %d, "srs_sample_time": 0, "srs_send_bytes": 0, "conn_srs": 12}}}`

func newSRS(o Options, s SRSOptions) *SRS {
	s.Describe = func(f Found, api string) fleet.Backend {
		b := plainly(f)
		b.Kind, b.Load = fleet.KindSRS, fleet.LoadSource{Kind: fleet.LoadSRS, URL: "http://" + api}
		return b
	}
	return NewSRS(o, s)
}

func register(s *SRS, body string, change ...func(*http.Request)) (int, map[string]any) {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/srs/register", strings.NewReader(body))
	r.RemoteAddr = "10.78.122.184:4000"
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var got map[string]any
	json.Unmarshal(w.Body.Bytes(), &got)
	return w.Code, got
}

func TestSRSRegistersAsWithItsProxy(t *testing.T) {
	o, _ := world()
	s := newSRS(o, SRSOptions{})
	code, got := register(s, fmt.Sprintf(heartbeat, ""))
	if code != 200 || got["code"] != 0.0 || got["pid"] != "42583" {
		t.Errorf("%d %v", code, got)
	}
	b, ok := o.Backends.Get("vid-46p14mm-z2s3w865-42583")
	if !ok || b.RTMP != "10.78.122.184:19352" || b.HTTP != "10.78.122.184:8082" || b.Backend.Load.URL != "http://10.78.122.184:19853" || b.Source != SRSSource {
		t.Errorf("%+v", b)
	}
	// Started anew it is another, and the one that had its address is gone.
	register(s, strings.Replace(fmt.Sprintf(heartbeat, ""), "42583", "42999", 1))
	if got := names(o.Backends); got != "vid-46p14mm-z2s3w865-42999" {
		t.Errorf("the backends are %s", got)
	}
}

func TestSummariesAreLoad(t *testing.T) {
	o, _ := world()
	s := newSRS(o, SRSOptions{})
	for _, at := range []int{1, 2} {
		register(s, fmt.Sprintf(heartbeat, fmt.Sprintf(summary, at*10_000, at*10_000_000, at*1_000_000)))
	}
	b, _ := o.Backends.Get("vid-46p14mm-z2s3w865-42583")
	if l := b.Measured; !b.Reported || l.EgressBPS != 8e6 || l.IngressBPS != 8e5 || l.CPU != 0.25 || l.Sessions != 12 || b.Backend.Load.Kind != fleet.LoadRegistered {
		t.Errorf("%+v", b)
	}
	for _, lie := range []string{`, "summaries": 7`, `, "summaries": {"data": {"ok": false}}`, `, "summaries": null`,
		`, "summaries": {"ok": true, "system": {"cpu_percent": -5, "conn_srs": 1e300, "net_sample_time": 1, "net_send_bytes": -1e300}}`} {
		if code, _ := register(s, fmt.Sprintf(heartbeat, lie)); code != 200 {
			t.Errorf("%s: %d", lie, code)
		}
		b, _ := o.Backends.Get("vid-46p14mm-z2s3w865-42583")
		if l := b.Measured; l.CPU < 0 || l.CPU > 1 || l.Sessions < 0 || l.EgressBPS < 0 {
			t.Errorf("%s: %+v", lie, l)
		}
	}
}

func TestLoadsThatAreSaidNoMoreAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := world()
		s := newSRS(o, SRSOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		is := func(when string, said bool, sessions int) {
			t.Helper()
			b, _ := o.Backends.Get("vid-46p14mm-z2s3w865-42583")
			if b.Reported != said || b.Measured.Sessions != sessions || (b.Backend.Load.Kind == fleet.LoadRegistered) != said {
				t.Errorf("%s: %v, %+v, %s", when, b.Reported, b.Measured, b.Backend.Load.Kind)
			}
		}
		say := func(beats int, summaries bool) {
			for i := range beats {
				text := ""
				if summaries {
					text = fmt.Sprintf(summary, (i+1)*9000, (i+1)*9_000_000, (i+1)*900_000)
				}
				register(s, fmt.Sprintf(heartbeat, text))
				time.Sleep(9 * time.Second)
			}
		}
		say(3, true)
		is("while it says it", true, 12)
		say(2, false)
		is("two heartbeats later", true, 12)
		say(2, false)
		is("four heartbeats later", false, 0)
		say(2, true)
		is("when it says it again", true, 12)
		cancel()
		synctest.Wait()
	})
}

func TestHeartbeatsKeepAServerAndSilenceLosesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := world()
		s := newSRS(o, SRSOptions{Expire: 30 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		for range 20 {
			register(s, fmt.Sprintf(heartbeat, ""))
			time.Sleep(9 * time.Second)
			if o.Backends.Len() != 1 {
				t.Fatal("lost between two heartbeats")
			}
		}
		id := o.Backends.List()[0].ID
		time.Sleep(20 * time.Second)
		if o.Backends.Len() != 1 || o.Backends.List()[0].ID != id {
			t.Error("lost too early, or another")
		}
		time.Sleep(3 * time.Second)
		if o.Backends.Len() != 0 || len(s.at) != 0 {
			t.Error("believed in for ever")
		}
		cancel()
		synctest.Wait()
	})
}

func TestRegistrationsThatAreNone(t *testing.T) {
	o, _ := world()
	s := newSRS(o, SRSOptions{Token: secret.New("s3cret"), Trust: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer s3cret") }
	good := fmt.Sprintf(heartbeat, "")
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, tc := range []struct {
		name, body string
		code       int
		change     []func(*http.Request)
	}{
		{"token missing", good, 401, nil},
		{"token wrong", good, 401, []func(*http.Request){func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") }}},
		{"token in the URL, wrong", good, 401, []func(*http.Request){func(r *http.Request) { r.URL.RawQuery = "token=x" }}},
		{"a stranger's address", good, 403, []func(*http.Request){bearer, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1" }}},
		{"another method", good, 405, []func(*http.Request){bearer, func(r *http.Request) { r.Method = "GET" }}},
		{"another path", good, 404, []func(*http.Request){bearer, func(r *http.Request) { r.URL.Path = "/" }}},
		{"garbage", "\x00garbage", 400, []func(*http.Request){bearer}},
		{"endless", `{"ip": "` + strings.Repeat("1", maxHeartbeat), 400, []func(*http.Request){bearer}},
		{"nested", strings.Repeat("[", maxHeartbeat-1), 400, []func(*http.Request){bearer}},
		{"no ip", change(`"ip": "10.78.122.184", `, ""), 400, []func(*http.Request){bearer}},
		{"a name for ip", change("10.78.122.184", "origin1.example.com"), 400, []func(*http.Request){bearer}},
		{"nobody's ip", change("10.78.122.184", "0.0.0.0"), 400, []func(*http.Request){bearer}},
		{"no pid", change("42583", ""), 400, []func(*http.Request){bearer}},
		{"a forged line", change("42583", `1\nlevel=ERROR`), 400, []func(*http.Request){bearer}},
		{"a path", change("42583", `../../x`), 400, []func(*http.Request){bearer}},
		{"a long service", change("z2s3w865", strings.Repeat("z", maxIdentity+1)), 400, []func(*http.Request){bearer}},
		{"no rtmp", change(`["19352"]`, "[]"), 400, []func(*http.Request){bearer}},
		{"a port that is none", change("19352", "70000"), 400, []func(*http.Request){bearer}},
		{"UDP", change("19352", "udp://:1935"), 400, []func(*http.Request){bearer}},
	} {
		if code, got := register(s, tc.body, tc.change...); code != tc.code || tc.code != 200 && got["code"] == 0.0 {
			t.Errorf("%s: %d %v, want %d", tc.name, code, got, tc.code)
		}
	}
	if o.Backends.Len() != 0 {
		t.Errorf("the backends are %s", names(o.Backends))
	}
	for _, way := range []func(*http.Request){bearer, func(r *http.Request) { r.URL.RawQuery = "token=s3cret" }} {
		if code, got := register(s, good, way); code != 200 {
			t.Errorf("with the token: %d %v", code, got)
		}
	}
}

func TestEndpoints(t *testing.T) {
	ip := netip.MustParseAddr("10.0.0.1")
	for in, want := range map[string]string{
		"1935": "10.0.0.1:1935", ":1935": "10.0.0.1:1935", "tcp://:1935": "10.0.0.1:1935", "tcp://10.0.0.9:1935": "10.0.0.9:1935",
		"tcp://0.0.0.0:1935": "10.0.0.1:1935", "127.0.0.1:1935": "10.0.0.1:1935", "tcp://[::]:1935": "10.0.0.1:1935", "tcp://[fd00::1]:1935": "[fd00::1]:1935",
		"": "", "0": "", "udp://:1": "", "tcp://": "", "a:b:c": "", "-1": "", "1935x": "",
	} {
		if got, err := endpoint(in, ip); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, err, want)
		}
	}
}

// A flood of invented servers takes bounded memory and does not keep those out that are known.
func TestFloodsOfRegistrations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := world()
		s := newSRS(o, SRSOptions{})
		register(s, fmt.Sprintf(heartbeat, ""))
		said := 0
		for i := range 100_000 {
			body := fmt.Sprintf(`{"ip": "10.%d.%d.%d", "server": "s%d", "service": "x", "pid": "1", "rtmp": ["1935"]}`, 1+i>>16, i>>8&255, i&255, i)
			if code, _ := register(s, body); code == 503 {
				said++
			}
			if most := newBurst + newPerSecond; i == 999 && o.Backends.Len() > most+1 {
				t.Errorf("%d at once", o.Backends.Len())
			}
			if i%1000 == 0 {
				time.Sleep(time.Second)
			}
		}
		if n := o.Backends.Len(); n > maxRegistered || n < newBurst || len(s.registered) != n {
			t.Errorf("%d backends, %d registered", n, len(s.registered))
		}
		if said < 90_000 {
			t.Errorf("%d were told to come later", said)
		}
		if code, _ := register(s, fmt.Sprintf(heartbeat, "")); code != 200 {
			t.Errorf("one that is known gets %d", code)
		}
		if f := h.failures(); len(f) == 0 || len(f) > 12 {
			t.Errorf("it was said %d times", len(f))
		}
		s.expire(time.Now().Add(time.Hour))
		if o.Backends.Len() != 0 || len(s.registered) != 0 || len(s.at) != 0 {
			t.Error("something is left")
		}
	})
}

func TestRegistrationOverItsListener(t *testing.T) {
	o, _ := world()
	s := newSRS(o, SRSOptions{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	run(t, func(ctx context.Context) {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Post("http://"+l.Addr().String()+"/api/v1/srs/register", "application/json", strings.NewReader(fmt.Sprintf(heartbeat, "")))
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != 200 || o.Backends.Len() != 1 {
		t.Errorf("%s, %d backends", resp.Status, o.Backends.Len())
	}
}

func FuzzBeat(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(heartbeat, "")))
	f.Add([]byte(fmt.Sprintf(heartbeat, fmt.Sprintf(summary, 1, 2, 3))))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := parseBeat(body)
		if err != nil {
			return
		}
		if _, err := netip.ParseAddrPort(b.rtmp); err != nil || len(b.identity()) > 3*maxIdentity+2 || strings.ContainsAny(b.identity(), " \n/\"") {
			t.Errorf("%+v", b)
		}
		if b.summaries != nil {
			var c counters
			if l := c.load(b.summaries); l.CPU < 0 || l.CPU > 1 || l.Sessions < 0 || !(l.EgressBPS >= 0) {
				t.Errorf("%+v", l)
			}
		}
	})
}
