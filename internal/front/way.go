package front

import (
	"context"
	"errors"

	"weir/internal/media/session"
)

// Way is how a client and the server behind are joined.
type Way string

const (
	// Auto is carry to nodes, which know epochs and clocks, and splice elsewhere.
	Auto Way = "auto"
	// Carry ends the client's session here and forwards messages, so that the
	// server can change.
	Carry Way = "carry"
	// Splice joins the two connections in the kernel once their states are the
	// same. The session ends with its server.
	Splice Way = "splice"
)

// errCarry says that a session cannot be spliced, for the reason that it wraps; it
// is carried instead, to the same server. Any other error of splicing is about the
// server, or is its answer, and the front goes on as if it had been carried.
var errCarry = errors.New("front: to be carried")

// playWay and publishWay are how sessions at b are joined. Nodes are always
// carried: they say which epoch and clock a stream has, and move what they hold.
func (f *Front) playWay(b *Backend) Way {
	if !b.Foreign || f.o.Play == Carry {
		return Carry
	}
	return Splice
}

func (f *Front) publishWay(b *Backend) Way {
	if b.Foreign && f.o.Publish == Splice {
		return Splice
	}
	return Carry
}

// splicePlay joins a viewer and a foreign server in the kernel. The server has
// accepted the play, and the client has its answer, when it returns; ctx ends
// with the client's patience and is not the session's. What it reports at the end
// goes to p.Ended; at both ends it counts with [Front.enter].
func (f *Front) splicePlay(ctx context.Context, p *session.Play, b Backend) (session.Player, error) {
	return nil, errCarry
}

// splicePublish is the same for a publisher, whose stream has been claimed. The client is
// answered by the session, as always, with what has come of this.
func (f *Front) splicePublish(ctx context.Context, p *session.Publish, b Backend) (session.Publisher, error) {
	return nil, errCarry
}
