package node

import "net/http"

// whileUp sends HTTP viewers away from a node that is being drained, and counts the others from
// before that is looked at.
func (n *node) whileUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.drainer.requests.Add(1)
		defer n.drainer.requests.Add(-1)
		if n.draining() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "This node is being drained.", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}
