package node_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/node"
	"weir/internal/ops/certs/certstest"
	"weir/internal/ops/config"
	"weir/internal/proctest"
	"weir/internal/stream"
)

// startWeb is startIn of a front with a TLS listener; change alters its configuration.
func startWeb(t *testing.T, m *store.Memory, change func(*config.Config)) *running {
	t.Helper()
	cfg := quickConfig("front")
	cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
	cfg.HTTP.Listen, cfg.Admin.Listen, cfg.HTTP.TLS.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.HTTP.TLS.Cert = filepath.Join(t.TempDir(), "cert.pem")
	writeCertificate(t, cfg.HTTP.TLS.Cert, 1)
	if change != nil {
		change(&cfg)
	}
	r := &running{log: newLogBook()}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	w := node.World{Emit: r.turn.count, Store: func(context.Context) (store.Store, error) { return m.Client(), nil }}
	go func() { ended <- w.Run(ctx, cfg, slog.New(r.log)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("front: %v", err)
		}
	})
	if _, ready := r.log.wait(patience, func(l line) bool { return l.msg == "ready" }); !ready {
		t.Fatal("the front did not start")
	}
	r.addr = r.listening("rtmp")
	return r
}

// writeCertificate makes one for localhost, with its key in the same file, by rename.
func writeCertificate(t *testing.T, path string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// browser speaks HTTP/2 where it can, follows no redirect and believes any certificate.
func browser() *http.Client {
	return &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func readFLV(t *testing.T, what string, res *http.Response, n int) {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(res.Body, b); err != nil || string(b[:3]) != "FLV" {
		t.Fatalf("%s: %s, %.20q, %v", what, res.Status, b, err)
	}
}

// A front passes HTTP-FLV of the cluster's streams through, from an edge that placement
// chooses, by HTTP/1.1 and HTTP/2, while its certificate changes.
func TestHTTPThroughAFront(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	var cert string
	f := startWeb(t, m, func(c *config.Config) { cert = c.HTTP.TLS.Cert })
	o, _ := startIn(t, m, "o", config.RoleOrigin)
	_, stopEdge := startIn(t, m, "e", config.RoleEdge)
	f.sees(t, "o")
	f.sees(t, "e")
	sing(t, o, o)
	plain, secure := "http://"+f.listening("http"), "https://"+f.listening("https")
	client := browser()
	var open []*http.Response
	for url, proto := range map[string]int{plain: 1, secure: 2} {
		res, err := client.Get(url + "/live/canary.flv")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.ProtoMajor != proto || res.Header.Get("Content-Type") != "video/x-flv" {
			t.Errorf("%s: %s, %v", url, res.Proto, res.Header)
		}
		readFLV(t, url, res, 1000)
		open = append(open, res)
	}
	serial := func() int64 {
		c, err := tls.Dial("tcp", f.listening("https"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Errorf("certificate %d", n)
	}
	writeCertificate(t, cert, 2)
	if !eventually(patience, func() bool { return serial() == 2 }) {
		t.Error("the new certificate is not used")
	}
	for _, res := range open { // nobody has been dropped
		if _, err := io.ReadFull(res.Body, make([]byte, 20_000)); err != nil {
			t.Errorf("a viewer from before the change: %v", err)
		}
	}
	if res, err := client.Get(plain + "/live/nobody.flv"); err != nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("a stream that is not there: %v, %v", res, err)
	}
	if res, err := client.Get(plain + "/index.html"); err != nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("what nodes do not serve: %v, %v", res, err)
	}
	if !eventually(patience, func() bool { return f.load(t, "front").Viewers == 2 }) {
		t.Errorf("the front says that it has %+v", f.load(t, "front"))
	}
	stopEdge()
	for _, res := range open {
		io.Copy(io.Discard, res.Body) // they end with their edge
	}
	if !eventually(patience, func() bool { // the origin serves, now that no edge is there
		res, err := client.Get(secure + "/live/canary.flv")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		b := make([]byte, 3)
		_, err = io.ReadFull(res.Body, b)
		return err == nil && string(b) == "FLV"
	}) {
		t.Error("a viewer who comes back is not served")
	}
}

func TestHealthURLAndRedirect(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	f := startWeb(t, m, func(c *config.Config) {
		c.HTTP.RedirectHTTPS, c.HTTP.TLS.Port = config.RedirectPermanent, 443
		c.HTTP.ProxyProtocol.Trust = []string{"127.0.0.9"}
	})
	plain := "http://" + f.listening("http")
	status := func(url string) int {
		res, err := browser().Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := status(plain + "/healthz"); got != http.StatusServiceUnavailable {
		t.Errorf("an empty fleet: %d", got)
	}
	_, stop := startIn(t, m, "e", config.RoleEdge)
	f.sees(t, "e")
	if !eventually(patience, func() bool { return status(plain+"/healthz") == http.StatusOK }) {
		t.Errorf("with an edge: %d", status(plain+"/healthz"))
	}
	if a, b := status(plain+"/healthz?for=play"), status(plain+"/healthz?for=publish"); a != http.StatusOK || b != http.StatusServiceUnavailable {
		t.Errorf("an edge alone: play %d, publish %d", a, b)
	}
	res, err := browser().Get(plain + "/live/x.flv?t=1")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || to != "https://127.0.0.1/live/x.flv?t=1" {
		t.Errorf("plain: %d to %s", res.StatusCode, to)
	}
	stop()
	if !eventually(patience, func() bool { return status(plain+"/healthz") == http.StatusServiceUnavailable }) {
		t.Error("with the edge gone: still 200")
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	nc, err := from.Dial("tcp", f.listening("http"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "PROXY TCP4 198.51.100.7 203.0.113.1 5000 80\r\nGET /healthz HTTP/1.0\r\n\r\n")
	if b, err := io.ReadAll(nc); err != nil || string(b[:12]) != "HTTP/1.0 503" {
		t.Errorf("through a proxy: %.40q, %v", b, err)
	}
}

// A stream that only a server without HTTP has is not found, and the log says which server that is.
func TestAStreamWithoutHTTPSaysSo(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	page := newWHIP(t, "page")
	f := startWeb(t, m, func(c *config.Config) {
		c.Front.Backends.Defaults.Check.Kind = new(config.CheckNone)
		c.Front.Backends.Servers = []config.Server{{Name: "deaf", RTMP: "127.0.0.1:1"}, {Name: "page", HTTP: page.addr}}
	})
	other, err := cluster.New(cluster.Options{Store: m.Client(), Self: cluster.NodeRecord{Name: "front2", Roles: []string{"front"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Claim(t.Context(), stream.Name{App: "live", Stream: "x"}, cluster.Facts{Backend: "deaf"}); err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (status int, text string) {
		res, err := browser().Get("http://" + f.listening("http") + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	for _, path := range []string{"/live/x.flv", "/live/x/index.m3u8"} {
		if !eventually(patience, func() bool {
			status, text := ask(path)
			return status == http.StatusNotFound && strings.Contains(text, "not served over HTTP")
		}) {
			t.Error(ask(path))
		}
	}
	if l, ok := f.log.wait(patience, func(l line) bool { return l.msg == "refused" && l.attrs["reason"] == "no-http-address" }); !ok || !strings.Contains(l.attrs["err"], "deaf") || l.attrs["stream"] != "x" {
		t.Errorf("the log says %+v", l)
	}
	if status, text := ask("/live/y.flv"); status != http.StatusOK || text != "page" {
		t.Errorf("what nobody is known to have: %d %q", status, text)
	}
}

// A front that sends everything to https still answers its authority, and has its
// certificate soon after it has started without any.
func TestACertificateComesByACME(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	ports := make([]int, 2) // the authority has to know them before the front listens
	for i := range ports {
		ports[i] = int(netip.MustParseAddrPort(proctest.Addr(t)).Port())
	}
	authority := certstest.StartPebble(t, ports[0], ports[1], time.Hour)
	dir := t.TempDir()
	root := filepath.Join(dir, "root.pem")
	if err := os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	f := startWeb(t, m, func(c *config.Config) {
		c.HTTP.Listen, c.HTTP.TLS.Listen = fmt.Sprint("127.0.0.1:", ports[0]), fmt.Sprint("127.0.0.1:", ports[1])
		c.HTTP.TLS.Cert, c.HTTP.RedirectHTTPS = "", config.RedirectPermanent
		c.HTTP.ACME = config.ACME{Domains: []string{"live.example.com"}, CA: authority.URL, CARoot: root, Dir: filepath.Join(dir, "acme"),
			Challenges: []config.Challenge{config.ChallengeHTTP}}
	})
	if !eventually(patience, func() bool {
		c, err := tls.Dial("tcp", f.listening("https"), &tls.Config{ServerName: "live.example.com", InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].VerifyHostname("live.example.com") == nil
	}) {
		t.Error("no certificate")
	}
}
