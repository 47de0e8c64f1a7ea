package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/certs/certstest"
)

// site is a server with a plain and a TLS listener whose certificates are an ACME's.
type site struct {
	acme          *ACME
	plain, secure net.Listener
}

func openSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	for _, l := range []*net.Listener{&s.plain, &s.secure} {
		var err error
		if *l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// acmeDir is a directory that is removed when the test ends: again, if certmagic's last words come late.
func acmeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "acme")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for tries := 0; os.RemoveAll(dir) != nil && tries < 1000; tries++ {
			runtime.Gosched()
		}
	})
	return dir
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func (s *site) run(t *testing.T, o ACMEOptions) {
	t.Helper()
	o.Host, o.HTTPPort, o.TLSPort = "127.0.0.1", port(s.plain), port(s.secure)
	o.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	var err error
	if s.acme, err = NewACME(o); err != nil {
		t.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	quiet := log.New(io.Discard, "", 0)
	plain := &http.Server{Handler: s.acme.Challenge(hello), ErrorLog: quiet}
	secure := &http.Server{Handler: hello, TLSConfig: Config(s.acme, append([]string{"h2", "http/1.1"}, s.acme.Protos()...)...), ErrorLog: quiet}
	ended := make(chan error, 2)
	go func() { ended <- plain.Serve(s.plain) }()
	go func() { ended <- secure.ServeTLS(s.secure, "", "") }()
	s.acme.Start()
	t.Cleanup(func() {
		s.acme.Close()
		plain.Close()
		secure.Close()
		<-ended
		<-ended
	})
}

// certificate waits for one for name that differs from the serial number not.
func (s *site) certificate(t *testing.T, name, not string) *x509.Certificate {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := tls.Dial("tcp", s.secure.Addr().String(), &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err == nil {
			leaf := c.ConnectionState().PeerCertificates[0]
			c.Close()
			if leaf.SerialNumber.String() != not {
				return leaf
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("no certificate for %s: %v", name, err)
		}
	}
}

func TestACMEProvesByHTTP01(t *testing.T) {
	s := openSite(t)
	p := certstest.StartPebble(t, port(s.plain), 1, time.Hour)
	dir := acmeDir(t)
	s.run(t, ACMEOptions{Domains: []string{"live.example.com", "cdn.example.com"}, CA: p.URL, Roots: p.Roots, Dir: dir, HTTP01: true})
	for _, name := range []string{"live.example.com", "cdn.example.com"} {
		if leaf := s.certificate(t, name, ""); leaf.VerifyHostname(name) != nil {
			t.Errorf("asked for %s, got %v", name, leaf.DNSNames)
		}
	}
	keys := 0
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".key") {
			keys++
			if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("others can read %s", path)
			}
		}
		return err
	})
	if keys < 3 { // the account's and two
		t.Errorf("%d keys are kept in %s, want 3", keys, dir)
	}
}

func TestACMEProvesByTLSALPN01(t *testing.T) {
	s := openSite(t)
	p := certstest.StartPebble(t, 1, port(s.secure), time.Hour)
	s.run(t, ACMEOptions{Domains: []string{"live.example.com"}, CA: p.URL, Roots: p.Roots, Dir: acmeDir(t), TLSALPN01: true})
	if leaf := s.certificate(t, "live.example.com", ""); leaf.VerifyHostname("live.example.com") != nil {
		t.Errorf("got %v", leaf.DNSNames)
	}
}

// The place of an account without an address is there before the account is: who comes in between has a certificate too.
func TestACMEAccountsHaveNoAddressOfTheirOwn(t *testing.T) {
	s := openSite(t)
	p := certstest.StartPebble(t, port(s.plain), 1, time.Hour)
	dir := acmeDir(t)
	authority := strings.NewReplacer("https://", "", ":", "-", "/", "-").Replace(p.URL)
	if err := os.MkdirAll(filepath.Join(dir, "acme", authority, "users", "default"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.run(t, ACMEOptions{Domains: []string{"live.example.com"}, CA: p.URL, Roots: p.Roots, Dir: dir, HTTP01: true})
	s.certificate(t, "live.example.com", "")
}

// A certificate of 12 s is due for renewal after 8.
func TestACMERenews(t *testing.T) {
	// A name of its own each time: certmagic remembers as long as the process lives which renewals were ended in the
	// middle, as another run's may have been by its end, and takes its time with them.
	name := fmt.Sprintf("live%d.example.com", time.Now().UnixNano())
	s := openSite(t)
	p := certstest.StartPebble(t, port(s.plain), 1, 12*time.Second)
	s.run(t, ACMEOptions{Domains: []string{name}, CA: p.URL, Roots: p.Roots, Dir: acmeDir(t), HTTP01: true, renewCheck: 500 * time.Millisecond})
	old := s.certificate(t, name, "")
	renewed := s.certificate(t, name, old.SerialNumber.String())
	if !renewed.NotAfter.After(old.NotAfter) {
		t.Errorf("the new one ends %v, the old one %v", renewed.NotAfter, old.NotAfter)
	}
}

func TestACMENeverHoldsUpTheStart(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	s := openSite(t)
	s.run(t, ACMEOptions{Domains: []string{"live.example.com"}, CA: "https://" + deaf.Addr().String() + "/dir", Dir: acmeDir(t), HTTP01: true})
	res, err := http.Get("http://" + s.plain.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	if c, err := tls.Dial("tcp", s.secure.Addr().String(), &tls.Config{ServerName: "live.example.com", InsecureSkipVerify: true}); err == nil {
		c.Close()
		t.Error("a handshake came about without a certificate")
	}
}

// testWriter is where the log goes: shown if the test fails.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	if w.t.Context().Err() == nil { // certmagic's last words may come late
		w.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}
