package web

import (
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func everybody(netip.Addr) bool { return true }

func TestRedirectToTLS(t *testing.T) {
	f := newFleet(says(t, "a"))
	s := stand(t, f, func(o *Options) {
		o.Redirect, o.TLSPort, o.Health = http.StatusPermanentRedirect, 8443, "/healthz"
	})
	for host, want := range map[string]string{
		"media.example.com":      "https://media.example.com:8443/live/x%2by.m3u8?a=1;b",
		"media.example.com:8080": "https://media.example.com:8443/live/x%2by.m3u8?a=1;b",
		"[2001:db8::1]:80":       "https://[2001:db8::1]:8443/live/x%2by.m3u8?a=1;b",
	} {
		res, _ := s.get(t, "/live/x%2by.m3u8?a=1;b", "Host", host)
		if res.StatusCode != http.StatusPermanentRedirect || res.Header.Get("Location") != want {
			t.Errorf("%s: %d %s", host, res.StatusCode, res.Header.Get("Location"))
		}
	}
	if res, _ := s.get(t, "/healthz"); res.StatusCode != http.StatusOK {
		t.Errorf("the health URL was redirected: %d", res.StatusCode)
	}
	r, _ := http.NewRequest(http.MethodGet, "http://x/a", nil)
	if to, ok := secureURL(r, 443); !ok || to != "https://x/a" {
		t.Errorf("port 443: %s", to)
	}
	r.Host = "evil/\"><"
	if to, ok := secureURL(r, 443); ok {
		t.Errorf("a host that is none: %s", to)
	}
}

func TestARequestThatWasHTTPSIsNotSentToTLS(t *testing.T) {
	var fronts atomic.Bool
	s := stand(t, newFleet(says(t, "a")), func(o *Options) {
		o.Redirect, o.TLSPort, o.Trusted = http.StatusMovedPermanently, 443, everybody
		o.Fronts = func(netip.Addr) bool { return fronts.Load() }
	})
	if res, _ := s.get(t, "/x", "X-Forwarded-Proto", "https"); res.StatusCode != http.StatusOK {
		t.Errorf("got %d: a loop with the balancer in front", res.StatusCode)
	}
	fronts.Store(true)
	if res, _ := s.get(t, "/x", "X-Forwarded-Proto", "http"); res.StatusCode != http.StatusOK {
		t.Errorf("a front of the cluster was sent away: %d", res.StatusCode)
	}
	fronts.Store(false)
	if res, _ := s.get(t, "/x", "X-Forwarded-Proto", "http"); res.StatusCode != http.StatusMovedPermanently {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestHealth(t *testing.T) {
	f := newFleet(says(t, "a"))
	s := stand(t, f, func(o *Options) { o.Health = "/up" })
	if res, body := s.get(t, "/up"); res.StatusCode != http.StatusOK || body != "publish: yes\nplay: yes" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	f.set(func() { f.down["a"] = true })
	until(t, "503 when the fleet takes nothing", func() bool {
		res, _ := s.get(t, "/up")
		return res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != ""
	})
	for _, q := range []string{"?for=publish", "?for=play"} {
		if res, _ := s.get(t, "/up"+q); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", q, res.StatusCode)
		}
	}
	if res, _ := s.ask(t, http.MethodPost, "/up", nil); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
}

func TestOwnStreamsAreServedHere(t *testing.T) {
	f := newFleet(says(t, "a"))
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("own for " + r.RemoteAddr)) })
	s := stand(t, f, func(o *Options) {
		o.Local, o.Here = own, func(path string) bool { return path == "/live/mine.flv" }
		o.Trusted = everybody
	})
	if _, body := s.get(t, "/live/mine.flv", "X-Forwarded-For", "198.51.100.7"); body != "own for 198.51.100.7:0" {
		t.Errorf("got %q", body)
	}
	if _, body := s.get(t, "/live/other.flv"); body != "a /live/other.flv" {
		t.Errorf("got %q", body)
	}
}

func TestWithoutTheFrontRoleNothingIsPassedOn(t *testing.T) {
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("own")) })
	s := stand(t, newFleet(), func(o *Options) { o.Servers, o.Ready, o.Local, o.Health = nil, nil, own, "/up" })
	if _, body := s.get(t, "/anything"); body != "own" {
		t.Errorf("got %q", body)
	}
	if res, _ := s.get(t, "/up"); res.StatusCode != http.StatusOK {
		t.Errorf("health: %d", res.StatusCode)
	}
}

func TestPlainRequestsCanBeLeftOut(t *testing.T) {
	s := stand(t, newFleet(says(t, "a")), func(o *Options) { o.Plain = false })
	if res, _ := s.get(t, "/page"); res.StatusCode != http.StatusNotFound {
		t.Errorf("got %d", res.StatusCode)
	}
	if res, _ := s.get(t, "/live/x.m3u8"); res.StatusCode != http.StatusOK {
		t.Errorf("a stream: %d", res.StatusCode)
	}
}

func TestAffinityIsBounded(t *testing.T) {
	var a affinity
	began := time.Unix(1e9, 0)
	for i := range affinitySize + 100 {
		a.put(affinityKey{rest: uint64(i)}, "a", began)
	}
	if n := len(a.known); n != affinitySize || a.order.Len() != n {
		t.Errorf("%d are known, %d in order", n, a.order.Len())
	}
	if a.get(affinityKey{rest: 0}, began) != "" || a.get(affinityKey{rest: affinitySize}, began) != "a" {
		t.Error("the oldest are not the ones that went")
	}
	late := began.Add(affinityFor + 1)
	if a.get(affinityKey{rest: affinitySize}, late) != "" {
		t.Error("it is remembered for ever")
	}
	a.put(affinityKey{rest: 1 << 40}, "b", late)
	if n := len(a.known); n != 1 {
		t.Errorf("%d are known, the rest being over", n)
	}
}
