package rtmp

import (
	"fmt"
	"strings"
)

// Error is a peer's violation of the protocol or of a limit. The connection
// that caused it cannot go on.
type Error struct {
	Reason Reason
	Type   MessageType // the message concerned; 0 if none
	Offset int64       // bytes of the chunk stream consumed before the fault
	Err    error       // cause or detail; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rtmp: %s", e.Reason)
	if e.Type != 0 {
		fmt.Fprintf(&b, " (%v)", e.Type)
	}
	if e.Offset != 0 {
		fmt.Fprintf(&b, " at byte %d", e.Offset)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Is lets errors.Is(err, &Error{Reason: r}) match by reason alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && t.Type == 0 && t.Offset == 0 && t.Err == nil
}
