package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write makes a self-signed certificate for name and puts it into the two files,
// by rename, as tools do.
func write(t *testing.T, cert, key, name string) {
	t.Helper()
	c, k := generate(t, name)
	replace(t, cert, c)
	replace(t, key, k)
}

func generate(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	tmpl := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &priv.PublicKey, priv)
	if err != nil {
		t.Fatal(err)
	}
	pk, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk})
}

func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// shown is the name on the certificate that a client asking for name gets.
func shown(t *testing.T, s Source, name string) string {
	t.Helper()
	c, err := s.GetCertificate(&tls.ClientHelloInfo{ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}})
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf.Subject.CommonName
}

func TestEachNameHasItsCertificate(t *testing.T) {
	dir := t.TempDir()
	one, oneKey, both := filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key"), filepath.Join(dir, "b.pem")
	write(t, one, oneKey, "a.example.com")
	c, k := generate(t, "b.example.com")
	replace(t, both, append(c, k...)) // as HAProxy has it
	f, err := NewFiles([]Pair{{one, oneKey}, {Cert: both}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{"a.example.com": "a.example.com", "b.example.com": "b.example.com", "c.example.com": "a.example.com", "": "a.example.com"} {
		if got := shown(t, f, asked); got != want {
			t.Errorf("asked for %q: got %s, want %s", asked, got, want)
		}
	}
}

func TestChangedFilesAreReadAgainAndHalfAChangeIsNot(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	write(t, cert, key, "old")
	var log bytes.Buffer
	f, err := NewFiles([]Pair{{cert, key}}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	said := make([]string, 1)
	f.look(said)
	if got := shown(t, f, ""); got != "old" || log.Len() > 0 {
		t.Fatalf("unchanged files: got %s, log %q", got, &log)
	}
	c, k := generate(t, "new")
	replace(t, cert, c)
	f.look(said)
	f.look(said)
	if got := shown(t, f, ""); got != "old" {
		t.Errorf("a new certificate with the old key: got %s", got)
	}
	if n := strings.Count(log.String(), "cannot be read again"); n != 1 {
		t.Errorf("the operator was told %d times of half a change, want once: %s", n, &log)
	}
	replace(t, key, k)
	f.look(said)
	f.look(said)
	if got := shown(t, f, ""); got != "new" {
		t.Errorf("both changed: got %s", got)
	}
	if n := strings.Count(log.String(), "certificate read again"); n != 1 {
		t.Errorf("read %d times after one change: %s", n, &log)
	}
	c, k = generate(t, "inplace") // without a rename
	for path, data := range map[string][]byte{cert: c, key: k} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.look(said)
	if got := shown(t, f, ""); got != "inplace" {
		t.Errorf("written in place: got %s", got)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	f.look(said)
	if got := shown(t, f, ""); got != "inplace" {
		t.Errorf("removed: got %s, want what was there", got)
	}
}

func TestAChangedSymbolicLinkIsAChange(t *testing.T) {
	dir := t.TempDir() // as Kubernetes mounts secrets
	for _, name := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "c"), filepath.Join(dir, name, "k"), name)
	}
	link := filepath.Join(dir, "now")
	if err := os.Symlink("v1", link); err != nil {
		t.Fatal(err)
	}
	f, err := NewFiles([]Pair{{filepath.Join(link, "c"), filepath.Join(link, "k")}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("v2", link+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+".new", link); err != nil {
		t.Fatal(err)
	}
	f.look(make([]string, 1))
	if got := shown(t, f, ""); got != "v2" {
		t.Errorf("got %s", got)
	}
}

func TestAChainAsksTheNextSource(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	write(t, cert, key, "file")
	f, err := NewFiles([]Pair{{cert, key}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(t, Chain{new(Files), f}, ""); got != "file" {
		t.Errorf("got %s", got)
	}
	if _, err := (Chain{new(Files)}).GetCertificate(new(tls.ClientHelloInfo)); err == nil {
		t.Error("no certificate anywhere, and no error")
	}
}
