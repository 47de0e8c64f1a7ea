package session

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/event"
)

// What is said of a TLS handshake that fails is what happened.
func TestTLSFailuresSayWhatHappened(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"weir.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	says := func(bytes string) func(net.Conn) {
		return func(nc net.Conn) { nc.Write([]byte(bytes)) }
	}
	for _, tc := range []struct {
		what   string
		client func(net.Conn)
		reason event.Reason // "": as it came
		text   string
	}{
		{"RTMP in clear", says("\x03" + strings.Repeat("\x00", 1536)), event.NotTLS, "RTMP in clear"},
		{"HTTP in clear", says("GET / HTTP/1.1\r\n\r\n"), event.NotTLS, "HTTP in clear"},
		{"noise", says("\xff\xfe\xfd\xfc\xfb\xfa"), event.NotTLS, "not TLS"},
		{"a client that does not know the issuer", func(nc net.Conn) { tls.Client(nc, &tls.Config{ServerName: "weir.test"}).Handshake() }, event.BadCertificate, "does not take"},
		{"an old client", func(nc net.Conn) {
			tls.Client(nc, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
		}, event.TLSFailed, "version"},
		{"a client that leaves", func(nc net.Conn) { nc.Close() }, "", ""},
	} {
		t.Run(tc.what, func(t *testing.T) {
			client, server := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				tc.client(client)
				client.Close()
			}()
			err := tls.Server(server, cfg).HandshakeContext(context.Background())
			go io.Copy(io.Discard, server)
			<-done
			server.Close()
			var own *ended
			reason := event.Reason("")
			if err = tlsFailure(err); errors.As(err, &own) {
				reason = own.reason
			}
			if reason != tc.reason || err == nil || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%q: %v", reason, err)
			}
		})
	}
}
