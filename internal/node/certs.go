package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"weir/internal/ops/certs"
	"weir/internal/ops/config"
)

// certificates are those of the TLS listeners.
type certificates struct {
	files []*certs.Files
	acme  *certs.ACME // nil: none
	http  certs.Chain
	rtmp  certs.Chain
}

// loadCertificates reads what there is in files and prepares the rest; nothing is asked of
// an authority yet. The listeners are open, so that it knows their ports.
func (n *node) loadCertificates() (err error) {
	c, h, r := &n.certs, &n.cfg.HTTP, &n.cfg.RTMP.TLS
	load := func(what string, pairs []config.CertPair) *certs.Files {
		if len(pairs) == 0 || err != nil {
			return nil
		}
		list := make([]certs.Pair, len(pairs))
		for i, p := range pairs {
			list[i] = certs.Pair(p)
		}
		var f *certs.Files
		if f, err = certs.NewFiles(list, n.log); err != nil {
			err = fmt.Errorf("%s: %w", what, err)
			return nil
		}
		c.files = append(c.files, f)
		return f
	}
	if len(h.ACME.Domains) > 0 {
		if c.acme, err = n.newACME(); err != nil {
			return err
		}
		c.http = append(c.http, c.acme)
	}
	if f := load("http.tls", h.TLS.Pairs()); f != nil {
		c.http = append(c.http, f)
	}
	c.rtmp = c.http
	if r.Listen != "" && r.Cert != "" {
		if f := load("rtmp.tls", []config.CertPair{{Cert: r.Cert, Key: r.Key}}); f != nil {
			c.rtmp = certs.Chain{f}
		}
	}
	return err
}

func (n *node) newACME() (*certs.ACME, error) {
	a := &n.cfg.HTTP.ACME
	o := certs.ACMEOptions{Domains: a.Domains, Email: a.Email, CA: a.CA, Dir: a.Dir, Log: n.log,
		HTTP01: a.Uses(config.ChallengeHTTP), TLSALPN01: a.Uses(config.ChallengeTLSALPN)}
	if a.CARoot != "" {
		pem, err := os.ReadFile(a.CARoot)
		if err != nil {
			return nil, fmt.Errorf("http.acme.ca_root: %w", err)
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(pem) { // it has changed since it was checked
			return nil, fmt.Errorf("http.acme.ca_root: %s holds no PEM certificate", a.CARoot)
		}
	}
	o.Host, o.HTTPPort = hostPortOf(n.listeners.http)
	if host, port := hostPortOf(n.listeners.https); port != 0 {
		o.Host, o.TLSPort = host, port
	}
	return certs.NewACME(o)
}

// hostPortOf is where a listener listens; the host is empty if that is everywhere.
func hostPortOf(l net.Listener) (host string, port int) {
	if l == nil {
		return "", 0
	}
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return "", 0
	}
	if !a.IP.IsUnspecified() {
		host = a.IP.String()
	}
	return host, a.Port
}

// watch follows changes of files, and starts asking the authority, until ctx ends.
func (c *certificates) watch(ctx context.Context, run func(func())) {
	for _, f := range c.files {
		run(func() { f.Watch(ctx) })
	}
	if c.acme != nil {
		c.acme.Start()
	}
}

func (c *certificates) close() {
	if c.acme != nil {
		c.acme.Close()
	}
}

// httpTLS is the configuration of the https listener, with HTTP/2.
func (c *certificates) httpTLS() *tls.Config {
	protos := []string{"h2", "http/1.1"}
	if c.acme != nil {
		protos = append(protos, c.acme.Protos()...)
	}
	return certs.Config(c.http, protos...)
}

// rtmpTLS is the configuration of the RTMPS listener.
func (c *certificates) rtmpTLS() *tls.Config { return certs.Config(c.rtmp) }
