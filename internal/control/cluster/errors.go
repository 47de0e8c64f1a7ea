package cluster

import (
	"errors"
	"fmt"

	"weir/internal/stream"
)

var (
	// ErrClosed: the Cluster was closed.
	ErrClosed = errors.New("cluster: closed")
	// ErrLost: the ownership has passed to another.
	ErrLost = errors.New("cluster: ownership lost")
	// ErrNameTaken: another process registered under this node's name later
	// than this one; this one has stood back.
	ErrNameTaken = errors.New("cluster: another process has taken this node's name")
)

// BusyError refuses a claim: the stream has an owner, or may have one.
type BusyError struct {
	Name     stream.Name
	Owner    string // node name
	Epoch    stream.Epoch
	Timeline string // of the owner's publisher
	// Vanished: there is no record, but it has not been given back either: its owner's lease ran out, or the
	// store was wiped. Who is dead says nothing, and who is cut off from the store alone serves it still. Owner
	// is "" if there are only edges that pull it. TakeOver from Epoch is granted.
	Vanished bool
}

func busy(r StreamRecord, vanished bool) *BusyError {
	return &BusyError{Name: r.Name, Owner: r.Owner, Epoch: r.Epoch, Timeline: r.Facts.Timeline, Vanished: vanished}
}

func (e *BusyError) Error() string {
	if e.Vanished {
		return fmt.Sprintf("cluster: stream %s was owned by node %q (epoch %v), which has vanished", e.Name, e.Owner, e.Epoch)
	}
	return fmt.Sprintf("cluster: stream %s is owned by node %s (epoch %v)", e.Name, e.Owner, e.Epoch)
}
