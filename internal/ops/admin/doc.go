// Package admin is the admin listener: health, metrics and the read side of the
// API, for people, probes, Prometheus and the commands "weir nodes" and "weir
// streams".
//
//	GET /healthz                       the process runs
//	GET /readyz                        it can take sessions, or why not
//	GET /metrics                       Prometheus text
//	GET /api/v1/nodes[/{name}]         the whole cluster, from any node
//	GET /api/v1/streams[/{app}/{name}]
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
