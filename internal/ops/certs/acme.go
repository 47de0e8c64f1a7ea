package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// ACMEOptions are an authority and what is wanted of it.
type ACMEOptions struct {
	Domains []string
	Email   string         // for the account; may be empty
	CA      string         // URL of its directory; "": Let's Encrypt
	Roots   *x509.CertPool // that the CA's own certificate is checked against; nil: the system's
	// Dir keeps account, keys and certificates. Fronts that answer to one name share it,
	// so that any of them can answer the authority and one alone orders.
	Dir string
	// HTTP01 and TLSALPN01 are the ways to prove that a name is ours. The ports are
	// those that the own listeners have, wherever the world's 80 and 443 lead to
	// them from.
	HTTP01, TLSALPN01 bool
	Host              string // of the listeners; "": all addresses
	HTTPPort, TLSPort int
	Log               *slog.Logger

	renewCheck time.Duration // 0: certmagic's, ten minutes
}

// ACME has certificates from an authority and renews them when a third of
// their life is left.
type ACME struct {
	o      ACMEOptions
	cache  *certmagic.Cache
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
	ctx    context.Context
	cancel context.CancelFunc
}

// NewACME returns one that does nothing until [ACME.Start].
func NewACME(o ACMEOptions) (*ACME, error) {
	if !o.HTTP01 && !o.TLSALPN01 {
		return nil, fmt.Errorf("acme: no way to prove that the names are ours")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("acme: %w", err)
	}
	a := &ACME{o: o}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	log := zapToSlog(o.Log)
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		RenewCheckInterval: o.renewCheck, Logger: log,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: o.Dir}, Logger: log, OnEvent: a.event})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: o.CA, Email: o.Email, Agreed: true, TrustedRoots: o.Roots, Logger: log,
		DisableHTTPChallenge: !o.HTTP01, DisableTLSALPNChallenge: !o.TLSALPN01,
		ListenHost: o.Host, AltHTTPPort: o.HTTPPort, AltTLSALPNPort: o.TLSPort,
		NewAccountFunc: a.account,
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// account is what is registered with the authority. An account without an address is kept under the name "default", which
// certmagic takes for its address when it finds the place and not the account yet: several names are asked
// for at once, and one is being registered.
func (a *ACME) account(_ context.Context, _ *certmagic.ACMEIssuer, account acme.Account) (acme.Account, error) {
	if a.o.Email == "" {
		account.Contact = nil
	}
	return account, nil
}

// event tells the operator what becomes of each name.
func (a *ACME) event(_ context.Context, what string, data map[string]any) error {
	switch what {
	case "cert_obtained":
		a.o.Log.Info("certificate obtained", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		a.o.Log.Warn("certificate not obtained; it is tried again", "name", data["identifier"], "err", data["error"])
	}
	return nil
}

// Start loads what there is and asks for the rest, without waiting for either. The
// listeners must be open: the authority calls back.
func (a *ACME) Start() {
	go func() {
		if err := a.config.ManageAsync(a.ctx, slices.Clone(a.o.Domains)); err != nil {
			a.o.Log.Warn("acme", "err", err)
		}
	}()
}

// GetCertificate implements Source; it also answers TLS-ALPN-01.
func (a *ACME) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.config.GetCertificate(hello)
}

// Protos are the application protocols that its listener needs beside its own.
func (a *ACME) Protos() []string {
	if a.o.TLSALPN01 {
		return []string{challengeProto}
	}
	return nil
}

// Challenge answers HTTP-01 on the plain listener; all else is next's.
func (a *ACME) Challenge(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

// Close ends renewals and whatever is on its way.
func (a *ACME) Close() {
	a.cancel()
	a.cache.Stop()
}
