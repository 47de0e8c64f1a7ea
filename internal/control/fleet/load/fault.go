package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
)

// Word names a kind of fault.
type Word string

const (
	Unreachable Word = "unreachable" // no connection
	Unasked     Word = "unasked"     // nobody says where it is
	Slow        Word = "timeout"     // no answer, or no end of it, in time
	BadStatus   Word = "status"      // an HTTP status that is not 200, or SRS's code
	Redirected  Word = "redirect"    // not followed
	TooLong     Word = "too_long"
	Garbage     Word = "garbage" // not the format
	Impossible  Word = "impossible"
)

// Fault is why a report was refused.
type Fault struct {
	Word Word
	At   string // host:port/path
	Text string // for an operator
}

func (f *Fault) Error() string {
	if f.At == "" {
		return f.Text
	}
	return f.At + ": " + f.Text
}

func garbage(format string, args ...any) *Fault {
	return &Fault{Word: Garbage, Text: fmt.Sprintf(format, args...)}
}

// fault makes a *Fault of any error that reading an answer may end with.
func fault(err error) *Fault {
	var f *Fault
	var u *url.Error
	if errors.As(err, &f) {
		return f
	}
	if errors.As(err, &u) {
		err = u.Err
	}
	var n net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return &Fault{Word: Slow, Text: fmt.Sprintf("no complete answer within %s", pollTimeout)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Fault{Word: Unreachable, Text: "connection refused, nothing listens there"}
	case errors.As(err, &op) && op.Op == "dial":
		return &Fault{Word: Unreachable, Text: op.Err.Error()}
	}
	return &Fault{Word: Garbage, Text: "no HTTP answer: " + err.Error()}
}
