package node

import (
	"net/http"

	"weir/internal/ops/event"
)

// whileUp sends HTTP viewers away from a node that is being drained.
func (n *node) whileUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.draining() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "This node is being drained.", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admitted counts a request over HTTP, which may be a viewer of many hours, among the
// connections of its address.
func (n *node) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leave, ok := n.sessions.Admit(event.Session{Remote: r.RemoteAddr, Role: event.RoleViewer})
		if !ok {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Your address has too many connections here.", http.StatusTooManyRequests)
			return
		}
		defer leave()
		next.ServeHTTP(w, r)
	})
}
