package node

import "net/http"

// whileUp sends HTTP viewers away from a node that is being drained, and counts the others.
func (n *node) whileUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var refused bool
		n.drainer.let(func(draining, _ bool) {
			if refused = draining; !refused {
				n.drainer.requests.Add(1)
			}
		})
		if refused {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "This node is being drained.", http.StatusServiceUnavailable)
			return
		}
		defer n.drainer.requests.Add(-1)
		next.ServeHTTP(w, r)
	})
}
