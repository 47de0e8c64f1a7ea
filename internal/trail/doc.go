// Package trail is the way that a session has come from front to front. Each front that connects to a
// server that is no node says, in the random bytes of the RTMP handshake, through which fronts the session
// came; other servers take that for the noise it stands in. A front that finds itself on the way has met a
// loop. The same words in a server's half of the handshake say who it is, and which fronts are among
// its own servers.
//
// Why the handshake, and not the connect: a spliced session's connect is the client's own bytes, and a health
// check says none. It proves nothing: who forges a trail has its own session refused.
//
// The package has no goroutines and keeps nothing.
package trail
