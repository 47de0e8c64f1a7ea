package front

import "errors"

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
