// Package proxyproto speaks HAProxy's PROXY protocol, versions 1 and 2: a header
// in front of a connection's first byte, in which a proxy says whose connection it
// really is (haproxy.org, doc/proxy-protocol.txt, sections 2.1 and 2.2).
//
// [Read] takes exactly the header from a connection and not a byte more, so that
// what follows is read from the connection itself, be it in the kernel; a reader
// with a buffer would have to stay in between for as long as the connection lives.
// That, and a bound on what a header may be, is why this is not a library's.
// [AppendV1] and [AppendV2] write one. [AppendSRS] writes what SRS understands
// instead.
//
// Who may send a header is the caller's to know before Read, and how long it may
// take: Read waits for as long as the connection does. No goroutine, nothing kept.
package proxyproto
