package certs

import (
	"crypto/tls"
	"slices"

	"github.com/mholt/acmez/v3"
)

// Source answers handshakes.
type Source interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// Chain asks each source until one has a certificate.
type Chain []Source

// GetCertificate implements Source. The error is the last source's.
func (c Chain) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	err := errNone
	for _, s := range c {
		var cert *tls.Certificate
		if cert, err = s.GetCertificate(hello); err == nil && cert != nil {
			return cert, nil
		}
	}
	return nil, err
}

// Config is the configuration of a listener whose certificates come from s and
// whose application protocols are protos.
func Config(s Source, protos ...string) *tls.Config {
	return &tls.Config{GetCertificate: s.GetCertificate, NextProtos: slices.Clone(protos), MinVersion: tls.VersionTLS12}
}

// challengeProto is the application protocol of TLS-ALPN-01, RFC 8737 §6.2.
const challengeProto = acmez.ACMETLS1Protocol
