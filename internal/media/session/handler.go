package session

import (
	"context"
	"fmt"
	"net/netip"

	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/trail"
	"weir/rtmp"
)

// Handler decides what happens with a publish or a play. Errors of type
// *[Rejection] are told to the client as they are; others are logged and the
// client hears that it failed.
type Handler interface {
	// Publish runs on the session's reader: what the client sends meanwhile waits
	// in its socket, so no media is taken before the answer.
	Publish(ctx context.Context, p *Publish) (Publisher, error)
	// Play runs on a goroutine that is not the reader; ctx ends when the client gives up, and
	// when Play has returned. It answers the client itself, since the answer and the
	// first media go together.
	Play(ctx context.Context, p *Play) (Player, error)
	// Query answers a proven member's question about this node, or takes its order.
	Query(ctx context.Context, question, arg string) (string, error)
}

// Publisher takes a client's messages. If it has a method Prompt() bool that returns true, they
// are read as they come, however many publishers there are; a method Patience() time.Duration says
// how long they may wait to be read if there are many.
type Publisher interface {
	// Write takes a message; the payload is not kept. One goroutine calls it, which may
	// serve others too: it must not wait for anything.
	Write(*rtmp.Message) error
	Close()
}

// Player is a running play.
type Player interface {
	Pause(on bool)
	Receive(audio, video bool)
	// Leave ends the play at the client's wish. The connection may go on: Leave
	// returns after the last byte of the play has been written or given up.
	Leave()
}

// Client is what is known of the other side.
type Client struct {
	event.Session
	// Member is the name of the node at the other end, "" for a stranger. Remote
	// is then the address of the client that the node speaks for, if it says.
	Member  string
	Connect *rtmp.Connect
	Facts   member.Client
	TLS     bool
	// Local is the address that the client connected to; behind a proxy, the one
	// that the proxy names. Zero if it is not known.
	Local netip.AddrPort
	// Trail is the fronts that the session has come through, as the last one says; nil of nearly all.
	Trail trail.Trail
}

// Publish is a client's wish to publish.
type Publish struct {
	Client
	Name    stream.Name
	Request *rtmp.PublishRequest
	Extra   member.PublishExtra // zero unless a member sent it
	// Evict ends the NetStream from outside: the client is told code and
	// description, then closed. Any goroutine, at most once.
	Evict func(code string, reason event.Reason, err error)
	c     *conn
	st    *netStream
}

// Play is a client's wish to play.
type Play struct {
	Client
	Name    stream.Name
	Request *rtmp.PlayRequest
	Conn    *rtmp.ServerConn
	Extra   member.PlayExtra // zero unless a member sent it
	// Alone says that nothing else is, or has been, on the connection, so the play
	// may own its write side.
	Alone bool
	// Ended tells that the play is over by this side's doing. Any goroutine, at
	// most once, never from within Handler.Play.
	Ended func(reason event.Reason, by event.Side, err error)
	c     *conn
	st    *netStream
}

// Rejection is an answer that the client gets as it is.
type Rejection struct {
	Code        string // onStatus code
	Description string
	Reason      event.Reason
	Err         error // why, for the log; may be nil
}

func (r *Rejection) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %v", r.Description, r.Err)
	}
	return r.Description
}

func (r *Rejection) Unwrap() error { return r.Err }
