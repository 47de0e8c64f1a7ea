package config

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"weir/internal/stream"
)

// cookieName are the bytes of a cookie's name, RFC 6265 §4.1.1.
func cookieName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

func (k checker) http() {
	h := &k.HTTP
	k.httpTLS()
	k.acme()
	if h.RedirectHTTPS != RedirectOff && h.TLS.Listen == "" {
		k.at("http.redirect_https", "nothing serves https", "add http.tls.listen, as in :8443")
	}
	if p := h.Health; p != "" && (p[0] != '/' || len(p) < 2 || strings.ContainsAny(p, "?# ")) {
		k.at("http.health", fmt.Sprintf("%q is no path", p), "write it as in /healthz")
	}
	k.proxyProtocol("http.proxy_protocol", &h.ProxyProtocol)
	k.proxyProtocol("http.forwarded", &ProxyProtocol{h.Forwarded.Trust})
	k.frontHTTP()
}

func (k checker) httpTLS() {
	t := &k.HTTP.TLS
	if t.Listen == "" {
		if len(t.Pairs()) > 0 && k.RTMP.TLS.Listen == "" {
			k.at(first(k, "http.tls.cert", "http.tls.certificates"), "a certificate without a listener", "add http.tls.listen, as in :8443")
		}
	} else if !k.HTTP.HasCertificates() {
		k.at("http.tls.listen", "TLS needs a certificate", "name the PEM files in http.tls.cert and http.tls.key, or set http.acme.domains")
	}
	if t.Port < 0 || t.Port > 65535 {
		k.at("http.tls.port", fmt.Sprintf("%d is no port", t.Port), "")
	}
	if t.Cert == "" && t.Key != "" {
		k.at("http.tls.key", "a key without a certificate", "add http.tls.cert")
	}
	for i, p := range t.Pairs() {
		section := "http.tls"
		if t.Cert == "" || i > 0 {
			if t.Cert != "" {
				i--
			}
			section = fmt.Sprintf("http.tls.certificates[%d]", i)
		}
		if p.Cert == "" {
			k.at(section, "no certificate", "write cert: and the PEM file")
			continue
		}
		if p.Key == "" {
			p.Key = p.Cert
		}
		k.keyPair(section, p.Cert, p.Key, true)
	}
}

func (k checker) acme() {
	a := &k.HTTP.ACME
	if len(a.Domains) == 0 {
		for _, key := range []string{"http.acme.email", "http.acme.ca", "http.acme.ca_root", "http.acme.dir", "http.acme.challenges"} {
			if k.written(key) {
				k.at(key, "has no effect without http.acme.domains", "list the names, as in [live.example.com]")
			}
		}
		return
	}
	for i, d := range a.Domains {
		key := listKey(k, "http.acme.domains", i)
		switch {
		case strings.HasPrefix(d, "*."):
			k.at(key, fmt.Sprintf("%q needs a proof by DNS, which is not supported", d), "list the names one by one")
		case d == "" || strings.ContainsAny(d, "/: ") || !strings.Contains(d, ".") || strings.HasPrefix(d, "."):
			k.at(key, fmt.Sprintf("%q is no name of a site", d), "write it as in live.example.com")
		}
	}
	if len(a.Challenges) == 0 {
		k.at("http.acme.challenges", "none: nothing proves that the names are yours", "http-01, tls-alpn-01, or both")
	}
	if a.Uses(ChallengeHTTP) && k.HTTP.Listen == "" {
		k.at("http.acme.challenges", "http-01 needs the plain listener", "set http.listen, or use tls-alpn-01 alone")
	}
	if a.Uses(ChallengeTLSALPN) && k.HTTP.TLS.Listen == "" {
		k.at("http.acme.challenges", "tls-alpn-01 needs the TLS listener", "set http.tls.listen, or use http-01 alone")
	}
	if u, err := url.Parse(a.CA); a.CA != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		k.at("http.acme.ca", fmt.Sprintf("%q is no URL of an authority", a.CA), "write it as in https://acme-v02.api.letsencrypt.org/directory")
	}
	if a.CARoot != "" {
		if pem, err := os.ReadFile(a.CARoot); err != nil {
			k.at("http.acme.ca_root", fmt.Sprintf("%s: %v", a.CARoot, bare(err)), "")
		} else if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			k.at("http.acme.ca_root", fmt.Sprintf("%s holds no PEM certificate", a.CARoot), "")
		}
	}
	if a.Dir == "" {
		k.at("http.acme.dir", "empty", "name a directory that survives a restart: authorities give few certificates a week")
	}
}

// publishForm is "[METHOD ]SEGMENT" or "[METHOD ]/PATH".
var publishForm = regexp.MustCompile(`^([A-Z]+ )?(/?[^/\s?#]+|(/[^/\s?#]+)+/?)$`)

func (k checker) frontHTTP() {
	f := &k.Front.HTTP
	if c := f.Cookie; c.Mode != CookieOff && !cookieName(c.Name) {
		k.at("front.http.cookie.name", fmt.Sprintf("%q is no name of a cookie", c.Name), "as in JSESSIONID")
	} else if c.Mode == CookieOff && c.Name != "" {
		k.at("front.http.cookie.name", "has no effect while front.http.cookie.mode is off", "set the mode to insert or prefix")
	}
	for i, p := range f.Paths {
		path, app, ok := strings.Cut(p, "=")
		if _, err := stream.NewName(app, "x"); !ok || err != nil || strings.Trim(path, "/") == "" {
			k.at(listKey(k, "front.http.paths", i), fmt.Sprintf("%q does not say which application a path stands for", p), "write PATH=APP, as in hls=live")
		}
	}
	for i, p := range f.Publish {
		if !publishForm.MatchString(p) {
			k.at(listKey(k, "front.http.publish", i), fmt.Sprintf("%q is no form of request", p), "write a segment of its path, as in whip, or what it begins with, as in /rtc/v1/publish; before it a method if only that one publishes")
		}
	}
	if f.Body < 0 {
		k.at("front.http.body", "below 0", "")
	}
	k.span("front.http.cookie.max_age", f.Cookie.MaxAge, 0, 400*24*time.Hour)
	k.span("front.http.connect", f.Connect, 10*time.Millisecond, time.Minute)
	k.span("front.http.answer", f.Answer, 100*time.Millisecond, time.Hour)
	k.span("front.http.silence", f.Silence, time.Second, 24*time.Hour)
	k.span("front.http.tunnel", f.Tunnel, time.Second, 30*24*time.Hour)
}
