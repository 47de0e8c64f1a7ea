package relay

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"weir/rtmp"
)

// ErrHungUp: a server that is no member has shaken hands and then ended the connection instead of
// answering what the client asked. Some say no that way: nginx-rtmp to an application that it does not
// have, or to an address that may not publish.
var ErrHungUp = errors.New("the server hung up instead of answering")

// HungUp is err, as an ErrHungUp if it is the peer's end of the connection. It is for what comes
// behind the handshake and before the answer.
func HungUp(err error) error {
	if e, ok := errors.AsType[*rtmp.Error](err); ok && e.Reason != rtmp.ReasonTruncated {
		return err // an answer that nobody can read
	}
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, rtmp.ErrClosed} {
		if errors.Is(err, end) {
			return fmt.Errorf("%w: %w", ErrHungUp, err)
		}
	}
	return err
}
