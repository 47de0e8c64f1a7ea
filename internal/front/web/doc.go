// Package web is HTTP in front of the fleet: it serves what this node has itself,
// and hands every other request to a server that can answer it, as HAProxy or nginx
// would, but by the stream that the request is for.
//
// What it is not: a cache, a packager (it passes on the playlists that servers
// make), or a gate (who may watch is not asked here). TLS is ended before it.
//
// A request's way, in [Front.ServeHTTP]:
//
//  1. whose it is: the peer, or whom a trusted peer names (X-Forwarded-For);
//  2. the health URL; the redirect to https; requests that nobody should get;
//  3. this node's own streams;
//  4. else: the server that has the stream; the server that the client's cookie
//     names; the server that it had a moment ago; any server, by policy. One that
//     fails before its first byte is followed by the next;
//  5. the answer, passed on as it comes, or both directions of an upgrade.
//
// The proxying itself is net/http/httputil's ReverseProxy: hop-by-hop fields,
// upgrades, trailers and 1xx answers are its. What is added: the choice and the
// second try (a RoundTripper), cookies, limits, who is told what of whom, and ends
// for what hangs.
//
// The caller owes: a http.Server as of [NewServer], [Listen] around its listener,
// [Front.Close] before the server's Shutdown, which ends streams: they would not
// end by themselves.
//
// Goroutines: those of net/http, two an upgraded connection, and one a connection
// that a trusted peer opens, until its PROXY header is read.
//
// RFC 9110 §7.6 (forwarding), RFC 9112 §6, §7 (framing), RFC 6265 (cookies),
// RFC 6455 (WebSocket).
package web
