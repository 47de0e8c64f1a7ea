package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHTTP(t *testing.T) {
	dir := t.TempDir()
	pair := testPair(t)
	for _, name := range []string{"a.pem", "b.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), pair, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Parse(filepath.Join(dir, "w.yaml"), []byte(`
http:
  listen: ":80"
  tls: {listen: ":8443", port: 443, cert: a.pem, certificates: [{cert: b.pem}]}
  redirect_https: 308
  health: /up
  proxy_protocol: {trust: [10.0.0.5]}
  forwarded: {trust: [10.0.0.0/8]}
rtmp: {tls: {listen: ":1936"}}
front:
  http:
    cookie: {name: JSESSIONID, mode: prefix}
    paths: [hls=live, WebRTCAppEE/streams=WebRTCAppEE]
    tunnel: 1h
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []CertPair{{Cert: filepath.Join(dir, "a.pem")}, {Cert: filepath.Join(dir, "b.pem")}}
	if got := c.HTTP.TLS.Pairs(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("certificates %v, want them beside the file: %v", got, want)
	}
	if c.HTTP.RedirectHTTPS.Status() != 308 || !c.HTTP.Forwarded.Trusted()(netip.MustParseAddr("10.9.9.9")) || c.HTTP.ProxyProtocol.Trusted()(netip.MustParseAddr("10.9.9.9")) {
		t.Errorf("%+v", c.HTTP)
	}
	f := c.Front.HTTP
	if a := f.Apps(); a["hls"] != "live" || a["WebRTCAppEE/streams"] != "WebRTCAppEE" || f.Cookie.Mode != CookiePrefix || !f.Cookie.NoCache || f.Tunnel != time.Hour || !f.Plain {
		t.Errorf("%+v", f)
	}
}

func TestBadHTTP(t *testing.T) {
	for file, want := range map[string]string{
		"http: {tls: {listen: \":8443\"}}":                                                        "TLS needs a certificate",
		"http: {redirect_https: 308}":                                                             "nothing serves https",
		"http: {redirect_https: 302}":                                                             "is not one of off, 301, 308",
		"http: {health: up}":                                                                      `"up" is no path`,
		"http: {tls: {listen: \":8443\", cert: none.pem}}":                                        "cannot be read",
		"http: {tls: {cert: none.pem}}":                                                           "a certificate without a listener",
		"http: {tls: {listen: \":8443\", key: k.pem}}":                                            "a key without a certificate",
		"http: {listen: \":8080\", tls: {listen: \":8080\"}}":                                     ":8080 is also http.listen",
		"http: {acme: {email: a@b.example}}":                                                      "has no effect without http.acme.domains",
		"http: {tls: {listen: \":443\"}, acme: {domains: [\"*.example.com\"]}}":                   "needs a proof by DNS",
		"http: {tls: {listen: \":443\"}, acme: {domains: [\"https://example.com\"]}}":             "is no name of a site",
		"http: {tls: {listen: \":443\"}, acme: {domains: [a.example.com], ca: \"http://x/\"}}":    "is no URL of an authority",
		"http: {tls: {listen: \":443\"}, acme: {domains: [a.example.com], challenges: [dns-01]}}": "is not one of http-01, tls-alpn-01",
		"http: {acme: {domains: [a.example.com]}}":                                                "tls-alpn-01 needs the TLS listener",
		"http: {listen: \"\", tls: {listen: \":443\"}, acme: {domains: [a.example.com]}}":         "http-01 needs the plain listener",
		"http: {forwarded: {trust: [cdn]}}":                                                       `"cdn" is no address or network`,
		"http: {proxy_protocol: {trust: [\"0.0.0.0/0\"]}}":                                        "is everybody",
		"front: {http: {cookie: {mode: prefix}}}":                                                 `"" is no name of a cookie`,
		"front: {http: {cookie: {name: \"a b\", mode: insert}}}":                                  "is no name of a cookie",
		"front: {http: {cookie: {name: a}}}":                                                      "has no effect while",
		"front: {http: {publish: [whip, a/b]}}":                                                   "is no form of request",
		"front: {http: {publish: [\"GET\", \"post /x\"]}}":                                        "\"post /x\" is no form of request",
		"front: {http: {paths: [hls]}}":                                                           "does not say which application",
		"front: {http: {silence: 1ms}}":                                                           "is out of range",
	} {
		if _, err := Parse("w.yaml", []byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", file, err, want)
		}
	}
}

// testPair is a certificate and its key in one file.
func testPair(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
}
