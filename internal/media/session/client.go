package session

import (
	"errors"

	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// clientFor is what a handler is told of the client.
func (c *conn) clientFor(role event.Role) Client {
	cl := c.client
	cl.Role = role
	cl.Facts = member.Client{Addr: cl.Remote, FlashVer: cl.Connect.FlashVer, TCURL: cl.Connect.TCURL, PageURL: cl.Connect.PageURL, SWFURL: cl.Connect.SWFURL}
	return cl
}

// speakFor puts the client that a member speaks for in the member's place.
func (c *conn) speakFor(cl *Client, facts member.Client) {
	if facts.Addr == "" {
		return
	}
	cl.Facts = facts
	cl.Remote = facts.Addr
}

// becameLocked makes the connection's closing line speak of the stream that it was
// for. A node's shared connection stays a feed of no stream in particular. It needs c.mu:
// whoever ends a connection that was taken writes that line, on another goroutine, as soon
// as the stream is there to be ended.
func (c *conn) becameLocked(cl *Client) {
	if c.client.Member == "" || cl.Facts.Addr != c.nc.RemoteAddr().String() {
		c.client.Session = cl.Session
	}
	if c.as == "" {
		c.as, c.own = c.client.Role, c.client.Member != "" && c.client.Member == c.s.o.Node
	}
	c.used = true
	c.phase = event.PhaseMedia
}

// name is the stream that a client means. Between members a name is the whole
// path.
func (c *conn) name(name string) (stream.Name, error) {
	if c.client.Member != "" {
		return stream.ParseName(name)
	}
	return streamName(c.client.Connect.App, name)
}

// join puts the queries of a connection's and of a stream's URL together.
func join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + "&" + b
}

// WriteFailed is who ended a session, and why, when writing to the client failed
// with err.
func WriteFailed(err error) (event.Reason, event.Side) {
	var wire *rtmp.Error
	if errors.As(err, &wire) {
		return event.Reason(wire.Reason), event.ByServer
	}
	return event.ClientGone, event.ByClient
}

// rejection is err as an answer; what is not a Rejection becomes code.
func rejection(err error, code string) *Rejection {
	var r *Rejection
	if errors.As(err, &r) {
		return r
	}
	return &Rejection{Code: code, Description: "The server could not do this now.", Reason: event.InternalFault, Err: err}
}
