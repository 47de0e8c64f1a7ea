package splice

import "errors"

// Side is one of three who can end a session.
type Side uint8

const (
	ByUs Side = iota
	ByClient
	ByServer
)

func (s Side) String() string { return [...]string{"us", "client", "server"}[s] }

// Why a session ended.
var (
	ErrClosed  = errors.New("splice: closed")                             // an end closed in good order
	ErrStalled = errors.New("splice: an end takes nothing")               // By says which
	ErrIdle    = errors.New("splice: an end has said nothing")            // By says which
	ErrLinger  = errors.New("splice: half closed for too long")           // By is who closed
	ErrEnded   = errors.New("splice: ended from outside")                 // Session.End
	ErrRefused = errors.New("splice: the system has no descriptors left") // New, Join
)

// Ended is how a session ended.
type Ended struct {
	By  Side
	Err error // one of the above, or the system's
	// ToClient and ToServer are the bytes that were taken by that end.
	ToClient, ToServer int64
}
