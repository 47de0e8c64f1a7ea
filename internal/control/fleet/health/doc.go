// Package health finds out which backends live: it asks each of them again and again, listens to
// what sessions experience, and tells the registry (fleet.Backends) a state with a reason.
//
// # A backend's state
//
//	unknown ──good──▶ up        the first check decides
//	unknown ──bad───▶ down
//	up ──Fall bad checks in a row──▶ down
//	down ──Rise good checks in a row──▶ up
//
// While a backend is on its way from one state to the other it is asked four times as
// often. A backend in maintenance is not asked at all, and unknown afterwards.
//
// # What a check is
//
//	tcp   the connection is accepted. A frozen process passes: its kernel accepts.
//	rtmp  the RTMP handshake completes: the process answers (RTMP 1.0 §5.2)
//	http  GET of a URL is answered with 2xx or 3xx, as HAProxy's httpchk
//
// A backend that expects to be told whose connection it gets (PROXY protocol, SRS's preamble) is told
// that it is a check, as HAProxy's check-send-proxy.
//
// # Sessions accuse, checks convict
//
// A session that fails at a backend counts as a failed check, and has it checked at once;
// but the last of the Fall failures is always a check's own. So a server that has died is down after
// one round trip, and a client that breaks its own sessions on purpose can take no server
// away from others.
//
// Goroutines: one that follows the registry's changes, one a check that runs now, at most
// maxChecks. The caller closes the [Checker].
//
// It knows no sessions, no placement and no HTTP of others than the URL of a check.
package health
