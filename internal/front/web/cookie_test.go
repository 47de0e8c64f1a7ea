package web

import (
	"net/http"
	"strings"
	"testing"
)

// shop is a server that has sessions in a cookie of its own.
func shop(t *testing.T, name string) Server {
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
		if k, err := r.Cookie("JSESSIONID"); err == nil {
			w.Write([]byte(name + " knows " + k.Value + " of " + r.Header.Get("Cookie")))
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "s-" + name, Path: "/app", HttpOnly: true})
		w.Write([]byte(name + " is new, " + r.Header.Get("Cookie")))
	})
}

// As of HAProxy's "cookie JSESSIONID prefix nocache", with "server ams1 … cookie ams1".
func TestCookiePrefix(t *testing.T) {
	f := newFleet(shop(t, "ams1"), shop(t, "ams2"))
	s := stand(t, f, func(o *Options) { o.Cookie = Cookie{Name: "JSESSIONID", Mode: CookiePrefix, NoCache: true} })
	res, body := s.get(t, "/app/login", "Cookie", "other=1")
	if body != "ams1 is new, other=1" {
		t.Fatalf("got %q", body)
	}
	if got := res.Header.Get("Set-Cookie"); got != "JSESSIONID=ams1~s-ams1; Path=/app; HttpOnly" {
		t.Errorf("Set-Cookie: %s", got)
	}
	if got := res.Header.Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control: %q", got)
	}
	for range 4 {
		res, body := s.get(t, "/app/cart", "Cookie", "a=1; JSESSIONID=ams1~s-ams1; b=2")
		if body != "ams1 knows s-ams1 of a=1; JSESSIONID=s-ams1; b=2" {
			t.Errorf("got %q", body)
		}
		if res.Header.Get("Cache-Control") != "" || res.Header.Get("Set-Cookie") != "" {
			t.Error("an answer without a cookie was marked")
		}
	}
	f.set(func() { f.drains["ams1"] = true })
	if _, body := s.get(t, "/app/cart", "Cookie", "JSESSIONID=ams1~s-ams1"); !strings.HasPrefix(body, "ams1 knows") {
		t.Errorf("a drained server lost its client: %q", body)
	}
	f.set(func() { f.down["ams1"] = true })
	if _, body := s.get(t, "/app/cart", "Cookie", "JSESSIONID=ams1~s-ams1"); body != "ams2 knows s-ams1 of JSESSIONID=s-ams1" {
		t.Errorf("after its server went: %q", body)
	}
	if _, body := s.get(t, "/app/cart", "Cookie", "JSESSIONID=nobody~x"); !strings.HasPrefix(body, "ams2 knows x") {
		t.Errorf("a server that does not exist: %q", body)
	}
}

func TestCookieInsert(t *testing.T) {
	f := newFleet(echo(t, "a~ 1"), echo(t, "b"))
	s := stand(t, f, func(o *Options) { o.Cookie = Cookie{Name: "SRV", Mode: CookieInsert, NoCache: true} })
	res, body := s.get(t, "/x", "Cookie", "own=1")
	set := res.Header.Get("Set-Cookie")
	if set != "SRV=a%7E+1; Path=/; HttpOnly" || res.Header.Get("Cache-Control") != "private" || !strings.HasSuffix(body, "cookie=own=1") {
		t.Fatalf("Set-Cookie %q, Cache-Control %q, body %q", set, res.Header.Get("Cache-Control"), body)
	}
	value, _, _ := strings.Cut(set, ";")
	for range 3 {
		res, body := s.get(t, "/x", "Cookie", value+"; own=1")
		if res.Header.Get("Set-Cookie") != "" || !strings.HasSuffix(body, "cookie=own=1") {
			t.Errorf("again: Set-Cookie %q, the server saw %q", res.Header.Get("Set-Cookie"), body)
		}
		if n := read(f, func() int { return f.good["b"] }); n != 0 {
			t.Errorf("the other server was asked")
		}
	}
	f.set(func() { f.servers[0].Addr = gone(t, "x").Addr })
	if res, _ := s.get(t, "/x", "Cookie", value); !strings.HasPrefix(res.Header.Get("Set-Cookie"), "SRV=b;") {
		t.Errorf("its server has died: Set-Cookie %q", res.Header.Get("Set-Cookie"))
	}
}

func TestAStreamIsMoreThanACookie(t *testing.T) {
	f := newFleet(says(t, "a"), says(t, "b"))
	f.has[name("live", "x")] = "b"
	s := stand(t, f, func(o *Options) { o.Cookie = Cookie{Name: "SRV", Mode: CookieInsert} })
	if res, body := s.get(t, "/live/x.m3u8", "Cookie", "SRV=a"); res.StatusCode != http.StatusOK || !strings.HasPrefix(body, "b ") {
		t.Errorf("got %q: the stream is not there", body)
	}
}
