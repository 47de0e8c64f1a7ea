// Package admin is the admin listener: health, metrics and the API, for people,
// probes, Prometheus and the commands that talk to a node.
//
//	GET /healthz                       the process runs
//	GET /readyz                        it can take sessions, or why not
//	GET /metrics                       Prometheus text
//	GET /api/v1/nodes[/{name}]         the whole cluster, from any node
//	POST /api/v1/nodes/{name}/drain    ?window=10s; /undrain takes it back
//	GET /api/v1/streams[/{app}/{name}]
//	GET /api/v1/backends[/{name}]      servers that are no nodes, as this node sees them
//	POST /api/v1/backends/{name}/drain on all fronts; also ready, maint
//	PUT /api/v1/backends/{name}/weight {"weight": 2}; 0: the configured one
//	GET /haproxy;csv                   as HAProxy's statistics
//	GET /api/v1/route                  where a session would go, and why
//	GET /api/v1/route/decisions        where sessions went, and why
//
// What it is not: it knows no cluster, no media and no session. It asks a
// [Fleet], which the node implements, and turns the answers into JSON.
//
// Security: a bearer token (compared in constant time) guards everything but
// /healthz and /readyz. Without a token the listener must be on the loopback
// (package config refuses anything else), and then the Host header must name the
// loopback, so that no web page can reach it by DNS rebinding. No profiler is
// mounted.
package admin
