// Package certstest has an ACME authority for tests. It is no part of a server.
package certstest

import (
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Pebble is Let's Encrypt's own test authority, in this process.
type Pebble struct {
	URL   string            // of the directory
	Cert  *x509.Certificate // of its own listener
	Roots *x509.CertPool    // with Cert
}

// StartPebble starts one that gives certificates for life. It calls back at this machine's
// ports plain and secure, whatever name it is asked for.
func StartPebble(t *testing.T, plain, secure int, life time.Duration) *Pebble {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: uint64(life.Seconds())}})
	f := wfe.New(quiet, store, va.New(quiet, plain, secure, false, everyNameIsHere(t), store), authority, []string{"pebble"}, false, false, 1, 1)
	srv := httptest.NewTLSServer(f.Handler())
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return &Pebble{URL: srv.URL + wfe.DirectoryPath, Cert: srv.Certificate(), Roots: roots}
}

// everyNameIsHere is a name server that has this machine's address for every name.
func everyNameIsHere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // which is how pebble asks
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			a.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)}}
		}
		w.WriteMsg(a)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.ActivateAndServe() }()
	t.Cleanup(func() {
		srv.Shutdown()
		<-done
	})
	return l.Addr().String()
}
