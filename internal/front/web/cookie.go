package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// CookieMode is how a client is kept at its server.
type CookieMode string

const (
	CookieOff CookieMode = ""
	// CookieInsert: the front sets a cookie of its own, which servers never see.
	CookieInsert CookieMode = "insert"
	// CookiePrefix: the front writes the server's name before the value of the
	// server's own cookie, and takes it off again on the way back.
	CookiePrefix CookieMode = "prefix"
)

// Cookie keeps a client at its server; the words are HAProxy's.
type Cookie struct {
	Name string
	Mode CookieMode
	// NoCache marks answers that set it as private, for caches on the way.
	NoCache bool
	// MaxAge of an inserted one; 0: as long as the browser runs.
	MaxAge time.Duration
}

// prefixEnd parts the server's name from the server's value, as in HAProxy.
const prefixEnd = "~"

// take reads the server's name from a request's cookies, and takes out of them
// what is not the server's to see.
func (c *Cookie) take(h http.Header) (server string) {
	if c.Mode == CookieOff {
		return ""
	}
	var lines []string
	for _, line := range h["Cookie"] {
		var keep []string
		for pair := range strings.SplitSeq(line, ";") {
			name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok || strings.TrimSpace(name) != c.Name {
				keep = append(keep, strings.TrimSpace(pair))
				continue
			}
			value = strings.Trim(value, `"`)
			switch c.Mode {
			case CookieInsert:
				server = unescape(value)
			case CookiePrefix:
				if by, own, ok := strings.Cut(value, prefixEnd); ok {
					server, value = unescape(by), own
				}
				keep = append(keep, c.Name+"="+value)
			}
		}
		if len(keep) > 0 {
			lines = append(lines, strings.Join(keep, "; "))
		}
	}
	if len(lines) == 0 {
		h.Del("Cookie")
	} else {
		h["Cookie"] = lines
	}
	return server
}

// put marks an answer of server. asked is the server that the request's cookie named.
func (c *Cookie) put(h http.Header, server, asked string, secure bool) {
	set := false
	switch c.Mode {
	case CookieInsert:
		if asked == server {
			return
		}
		k := http.Cookie{Name: c.Name, Value: escape(server), Path: "/", HttpOnly: true, Secure: secure, MaxAge: int(c.MaxAge / time.Second)}
		h.Add("Set-Cookie", k.String())
		set = true
	case CookiePrefix:
		for i, line := range h["Set-Cookie"] {
			name, rest, ok := strings.Cut(line, "=")
			if ok && strings.TrimSpace(name) == c.Name {
				h["Set-Cookie"][i] = c.Name + "=" + escape(server) + prefixEnd + rest
				set = true
			}
		}
	}
	if set && c.NoCache {
		h.Add("Cache-Control", "private")
	}
}

// escape makes a server's name a cookie's value: it may hold anything.
func escape(name string) string {
	return strings.ReplaceAll(url.QueryEscape(name), prefixEnd, "%7E")
}

func unescape(value string) string {
	name, err := url.QueryUnescape(value)
	if err != nil {
		return ""
	}
	return name
}
