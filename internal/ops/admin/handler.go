package admin

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"weir/internal/ops/secret"
)

// Options are what a Handler is made of.
type Options struct {
	Fleet Fleet
	// Backends are the servers that are no nodes; nil: there can be none here.
	Backends Backends
	// Sessions are the nodes' RTMP sessions; nil: none are shown.
	Sessions Sessions
	// Frontends are this node's listeners for /haproxy;csv; nil: none are shown.
	Frontends func() []Frontend
	Metrics   prometheus.Gatherer // nil: no /metrics
	// Token guards everything but the probes; unset only on the loopback.
	Token secret.String
	// Version is told in the Server header.
	Version string
}

type handler struct{ Options }

// Handler returns the admin listener's handler.
func Handler(o Options) http.Handler {
	h := handler{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET /readyz", h.ready)

	guarded := func(pattern string, f http.HandlerFunc) { mux.Handle(pattern, h.guard(f)) }
	guarded("GET /api/v1/nodes", h.nodes)
	guarded("GET /api/v1/nodes/{name}", h.node)
	guarded("POST /api/v1/nodes/{name}/drain", h.drain)
	guarded("POST /api/v1/nodes/{name}/undrain", h.undrain)
	guarded("GET /api/v1/backends", h.backends)
	guarded("GET /api/v1/backends/{name}", h.backend)
	guarded("POST /api/v1/backends/{name}/{order}", h.backendOrder)
	guarded("PUT /api/v1/backends/{name}/weight", h.backendWeight)
	guarded("GET /haproxy;csv", h.haproxyCSV)
	guarded("GET /api/v1/route", h.route)
	guarded("GET /api/v1/route/decisions", h.decisions)
	guarded("GET /api/v1/sessions", h.sessions)
	guarded("DELETE /api/v1/sessions/{id...}", h.kick)
	guarded("GET /api/v1/streams", h.streams)
	guarded("GET /api/v1/streams/{app}/{name...}", h.stream)
	if o.Metrics != nil {
		guarded("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}).ServeHTTP)
	}
	nothing := func(w http.ResponseWriter, r *http.Request) { nothingThere(mux, w, r) }
	guarded("/api/v1/sessions", nothing) // else the mux sends DELETE on to /api/v1/sessions/
	guarded("/", nothing)
	return h.headers(mux)
}

// methods are those of the API.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}

// nothingThere answers what only a pattern without a method is for: 405 if another method were answered. The mux itself
// would say that, had it no pattern for every path; but then strangers would hear it, too.
func nothingThere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range methods {
		other := r.WithContext(r.Context())
		other.Method = m
		if _, pattern := mux.Handler(other); strings.HasPrefix(pattern, m+" ") || m == http.MethodHead && strings.HasPrefix(pattern, "GET ") {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		problem(w, http.StatusNotFound, "there is nothing at "+shorten(r.URL.Path))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	problem(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s does not take %s, but %s", shorten(r.URL.Path), shorten(r.Method), strings.Join(allowed, ", ")))
}

// headers sets what every answer has: nothing here may be cached, framed,
// sniffed or run.
func (h handler) headers(next http.Handler) http.Handler {
	server := "weir"
	if h.Version != "" {
		server += "/" + h.Version
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Server", server)
		head.Set("Cache-Control", "no-store")
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// shorten bounds text of a stranger that goes into an answer.
func shorten(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
