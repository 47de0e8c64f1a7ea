package store_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/internal/control/store"
)

// A server that wants a certificate often says so after the client has written into a closed
// connection: then what is missing must be told all the same.
func TestAClientWithoutCertificateIsToldSo(t *testing.T) {
	https := httptest.NewTLSServer(nil)
	defer https.Close()
	served, trusting := https.TLS.Clone(), https.Client().Transport.(*http.Transport).TLSClientConfig
	served.NextProtos = []string{"h2"}
	l, err := tls.Listen("tcp", "127.0.0.1:0", served)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	for _, own := range []bool{false, true} {
		config := trusting.Clone()
		if own {
			config.Certificates = served.Certificates
		}
		s, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{"https://" + l.Addr().String()}, TLS: config, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Get(t.Context(), "k")
		if err == nil || strings.Contains(err.Error(), "store.tls.cert") == own {
			t.Errorf("with a certificate of its own %v: %v", own, err)
		}
		s.Close()
	}
}

// A store without TLS, as every embedded one is, is not taken for one that wants a certificate.
func TestAClientWithTLSIsToldThatTheStoreHasNone(t *testing.T) {
	server, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{server.Addr()}, TLS: &tls.Config{MinVersion: tls.VersionTLS12}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err = s.Get(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "speaks no TLS") {
		t.Error(err)
	}
}
