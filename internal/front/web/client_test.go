package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"weir/internal/ops/event"
)

// echo is a server that says what it was told of the client.
func echo(t *testing.T, name string) Server {
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
		h := r.Header
		fmt.Fprintf(w, "for=%s proto=%s host=%s real=%s fwd=%s ssl=%s cookie=%s", h.Get("X-Forwarded-For"), h.Get("X-Forwarded-Proto"),
			h.Get("X-Forwarded-Host"), h.Get("X-Real-Ip"), h.Get("Forwarded"), h.Get("X-Forwarded-Ssl"), h.Get("Cookie"))
	})
}

var lies = []string{"Host", "media.example.com", "X-Forwarded-For", "198.51.100.7, 10.1.1.1", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "public.example.com",
	"X-Real-IP", "198.51.100.7", "Forwarded", "for=198.51.100.7", "X-Forwarded-Ssl", "on"}

func TestStrangersSayNothingOfThemselves(t *testing.T) {
	f := newFleet(echo(t, "a"))
	s := stand(t, f, nil)
	if _, got := s.get(t, "/x", lies...); got != "for=127.0.0.1 proto=http host=media.example.com real= fwd= ssl= cookie=" {
		t.Errorf("got %s", got)
	}
	if a := read(f, func() netip.Addr { return f.asked[0].Source }); a != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("placed as %s", a)
	}
}

func TestTrustedPeersSayWhoseRequestItIs(t *testing.T) {
	f := newFleet(echo(t, "a"))
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	s := stand(t, f, func(o *Options) {
		o.Trusted = func(a netip.Addr) bool { return trusted[0].Contains(a) || trusted[1].Contains(a) }
	})
	want := "for=198.51.100.7, 10.1.1.1, 127.0.0.1 proto=https host=public.example.com real=198.51.100.7 fwd=for=198.51.100.7 ssl=on cookie="
	if _, got := s.get(t, "/x", lies...); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if a := read(f, func() netip.Addr { return f.asked[0].Source }); a != netip.MustParseAddr("198.51.100.7") {
		t.Errorf("placed as %s, want the last that is not trusted itself", a)
	}
	if _, got := s.get(t, "/x"); got != "for=127.0.0.1 proto=http host="+s.addr+" real= fwd= ssl= cookie=" {
		t.Errorf("of its own: %s", got)
	}
}

func TestOneAddressHasSoManyRequests(t *testing.T) {
	srv, say, _ := steps(t, "a")
	s := stand(t, newFleet(srv), func(o *Options) {
		var open perAddr
		o.Admit = func(who event.Session) (func(), bool) {
			addr := netip.MustParseAddrPort(who.Remote).Addr()
			return func() { open.leave(addr) }, open.enter(addr, 2)
		}
	})
	for range 2 {
		res, err := http.Get(s.url("/live/x.flv"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
	}
	if res, _ := s.get(t, "/live/x.flv"); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("a third: %d", res.StatusCode)
	}
	say <- "" // one of them ends
	until(t, "another is taken", func() bool {
		res, err := http.Get(s.url("/live/x.flv"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}
