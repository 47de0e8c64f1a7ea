// Package play serves a stream to viewers, one file a protocol. It finds the
// stream through relay (which pulls it here if need be) and sends it in one of
// three ways:
//
//   - pumped: a plain TCP viewer that has its connection to itself. The hub's
//     pump writes the shared log straight to the socket; from then on the pump
//     owns the write side, and all that the session has to say goes through
//     it. Nothing of this package runs while it plays.
//   - walked: other RTMP (TLS, several plays on one connection, feeds to other
//     nodes). A [walker] goroutine a connection takes turns among cursors,
//     rewrites the message stream id where it is not the log's, and waits for the
//     socket.
//   - copied: HTTP-FLV. The request's goroutine follows one cursor.
//
// What play does not do: decide whether somebody may watch, or where. It is given
// a name that was allowed, at the node that was chosen.
//
// Who owns what: a player ([pumped], [walk]) holds its stream (a relay.Want)
// until it ended, and ends exactly once: by Leave (the client's wish), or by telling
// its Ended function (the stream is over, or the client takes no bytes). Its closing
// line is package session's; a viewer over HTTP has none there and writes its own.
package play
