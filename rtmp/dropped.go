package rtmp

import "sync/atomic"

// drops counts what a client sent to nobody. It costs the client its bytes and
// nobody else anything, so it is no reason to close.
type drops struct {
	unknownStream, notPublishing, unknownMessage atomic.Int64
}

// Dropped returns how many messages were dropped for a reason: ReasonUnknownStream,
// ReasonNotPublishing or ReasonUnknownMessage. Any goroutine may ask.
func (s *ServerConn) Dropped(r Reason) int64 {
	switch r {
	case ReasonUnknownStream:
		return s.drops.unknownStream.Load()
	case ReasonNotPublishing:
		return s.drops.notPublishing.Load()
	case ReasonUnknownMessage:
		return s.drops.unknownMessage.Load()
	}
	return 0
}
