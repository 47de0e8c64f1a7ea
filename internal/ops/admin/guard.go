package admin

import (
	"net"
	"net/http"
	"strings"
)

// guard lets a request through that shows the token; without a token, one that
// comes over the loopback and means it.
func (h handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Token.IsSet() {
			if !h.Token.Equal(bearer(r)) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="weir"`)
				problem(w, http.StatusUnauthorized, "send the admin token: Authorization: Bearer TOKEN")
				return
			}
		} else if why := stranger(r); why != "" {
			problem(w, http.StatusForbidden, why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// stranger says why a request without a token is not from this machine's own
// user. The Host header tells a program that was given this address from a web
// page whose own name was made to resolve to it (DNS rebinding); the Origin
// header, a page of another site.
func stranger(r *http.Request) string {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && !loopback(addr.String()) {
		return "without a token the admin listener answers on the loopback only: set admin.token"
	}
	if !loopback(r.Host) {
		return "the Host header must be localhost, 127.0.0.1 or [::1]"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		_, host, _ := strings.Cut(origin, "://")
		if !loopback(host) {
			return "no other site's pages"
		}
	}
	return ""
}

// loopback reports whether a host, with or without a port, is this machine.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
