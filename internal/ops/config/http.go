package config

import (
	"net/netip"
	"strings"
	"time"
)

// HTTP are the listeners for HTTP, plain and TLS.
type HTTP struct {
	// Listen is HOST:PORT of the plain listener; empty: none.
	Listen string  `yaml:"listen"`
	TLS    HTTPTLS `yaml:"tls"`
	ACME   ACME    `yaml:"acme"`
	// RedirectHTTPS answers plain requests with where they are served by TLS, but for
	// the health URL and the answers to an ACME authority.
	RedirectHTTPS Redirect `yaml:"redirect_https"`
	// Health is the path of the health URL; empty: none.
	Health string `yaml:"health"`
	// ProxyProtocol is for both listeners.
	ProxyProtocol ProxyProtocol `yaml:"proxy_protocol"`
	Forwarded     Forwarded     `yaml:"forwarded"`
}

// HTTPTLS is the TLS listener; it is off while Listen is empty.
type HTTPTLS struct {
	Listen string `yaml:"listen"`
	// Port is where clients reach it, if that is not Listen's.
	Port int `yaml:"port"`
	// Cert and Key are PEM files, the chain included; without Key, the key is in Cert.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// Certificates are more, for other names.
	Certificates []CertPair `yaml:"certificates"`
}

// CertPair is a certificate and its key, as in [HTTPTLS].
type CertPair struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Pairs are all certificates of the section.
func (t *HTTPTLS) Pairs() []CertPair {
	var out []CertPair
	if t.Cert != "" {
		out = append(out, CertPair{t.Cert, t.Key})
	}
	return append(out, t.Certificates...)
}

// ACME is an authority that gives certificates; it is off while Domains is empty.
type ACME struct {
	Domains []string `yaml:"domains"`
	// Email is for the authority's account; it may be empty.
	Email string `yaml:"email"`
	// CA is the URL of the authority's directory; empty: Let's Encrypt.
	CA string `yaml:"ca"`
	// CARoot is a PEM file that the authority's own certificate is checked against.
	CARoot string `yaml:"ca_root"`
	// Dir keeps the account, keys and certificates.
	Dir        string      `yaml:"dir"`
	Challenges []Challenge `yaml:"challenges"`
}

// Challenge is a way to prove to the authority that a name is ours.
type Challenge string

const (
	ChallengeHTTP    Challenge = "http-01"     // on the plain listener, the world's port 80
	ChallengeTLSALPN Challenge = "tls-alpn-01" // on the TLS listener, the world's port 443
)

// Uses reports whether c is one of the challenges.
func (a *ACME) Uses(c Challenge) bool {
	for _, x := range a.Challenges {
		if x == c {
			return true
		}
	}
	return false
}

// HasCertificates reports whether the section has any, for the RTMPS listener too.
func (h *HTTP) HasCertificates() bool { return len(h.ACME.Domains) > 0 || len(h.TLS.Pairs()) > 0 }

// Redirect is the status of the redirect to https.
type Redirect string

const (
	RedirectOff       Redirect = "off"
	RedirectMoved     Redirect = "301"
	RedirectPermanent Redirect = "308"
)

// Status of the redirect; 0: none.
func (r Redirect) Status() int {
	switch r {
	case RedirectMoved:
		return 301
	case RedirectPermanent:
		return 308
	}
	return 0
}

// Forwarded says whose X-Forwarded-For and its like are believed.
type Forwarded struct {
	Trust []string `yaml:"trust"`
}

// Trusted returns who is believed; nil: nobody.
func (f *Forwarded) Trusted() func(netip.Addr) bool {
	p := ProxyProtocol{Trust: f.Trust}
	return p.Trusted()
}

// FrontHTTP is how a front passes requests on to servers.
type FrontHTTP struct {
	Cookie FrontCookie `yaml:"cookie"`
	// Paths are PATH=APP: what stands in URLs for an application, where it is not the
	// application itself.
	Paths []string `yaml:"paths"`
	// Publish is which requests bring a stream, and go to servers that take publishers: a
	// segment of their path (whip), or what it begins with (/rtc/v1/publish), after a method if only
	// that one does.
	Publish []string `yaml:"publish"`
	// Plain passes on what is for no stream.
	Plain bool `yaml:"plain"`
	// Body is the longest request body.
	Body Size `yaml:"body"`

	Connect time.Duration `yaml:"connect"` // to reach a server
	Answer  time.Duration `yaml:"answer"`  // for its answer to begin
	Silence time.Duration `yaml:"silence"` // without a byte of an answer that has begun
	Tunnel  time.Duration `yaml:"tunnel"`  // without a byte either way of a WebSocket
}

// Apps are Paths taken apart.
func (f *FrontHTTP) Apps() map[string]string {
	out := map[string]string{}
	for _, p := range f.Paths {
		if path, app, ok := strings.Cut(p, "="); ok {
			out[path] = app
		}
	}
	return out
}

// FrontCookie keeps a client at its server.
type FrontCookie struct {
	Name string     `yaml:"name"`
	Mode CookieMode `yaml:"mode"`
	// NoCache marks answers that set it as private.
	NoCache bool `yaml:"nocache"`
	// MaxAge of an inserted one; zero: as long as the browser runs.
	MaxAge time.Duration `yaml:"max_age"`
}

// CookieMode is how the cookie says which server it is; the words are HAProxy's.
type CookieMode string

const (
	CookieOff    CookieMode = "off"
	CookieInsert CookieMode = "insert" // a cookie of the front's own
	CookiePrefix CookieMode = "prefix" // the server's name before the value of the server's own cookie
)

func defaultHTTP() HTTP {
	return HTTP{
		Listen: ":8080", RedirectHTTPS: RedirectOff, Health: "/healthz",
		ACME: ACME{Dir: "weir-acme", Challenges: []Challenge{ChallengeHTTP, ChallengeTLSALPN}},
	}
}

func defaultFrontHTTP() FrontHTTP {
	return FrontHTTP{
		Cookie: FrontCookie{Mode: CookieOff, NoCache: true}, Publish: []string{"whip"}, Plain: true,
		// Not larger: what is sent to a live server is small. Not smaller: a picture, a
		// document. Uploads of recordings need more.
		Body: 16 * MiB,
		// Not larger: three tries must fit a player's patience. Not smaller: a lost SYN
		// comes again after a second.
		Connect: 3 * time.Second,
		Answer:  30 * time.Second,
		Silence: 60 * time.Second,
		// Not smaller: signalling connections say nothing for as long as a stream runs.
		Tunnel: 2 * time.Hour,
	}
}
