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

// BusyError refuses a claim: the stream has an owner.
type BusyError struct {
	Name  stream.Name
	Owner string // node name
	Epoch stream.Epoch
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("cluster: stream %s is owned by node %s (epoch %v)", e.Name, e.Owner, e.Epoch)
}
