package web

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// secureURL is where a plain request is served by TLS: same host, path and query.
func secureURL(r *http.Request, port int) (string, bool) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.ContainsAny(host, "/\\?#@ \t<>\"'") {
		return "", false
	}
	if port != 443 {
		host = net.JoinHostPort(host, strconv.Itoa(port))
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	u := url.URL{Scheme: "https", Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	return u.String(), true
}
