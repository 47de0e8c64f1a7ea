package session

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"weir/internal/ops/event"
	"weir/internal/proxyproto"
	"weir/rtmp"
)

// tlsFailure says what really happened in a TLS handshake that did not come about. What is
// the deadline's, or the client's leaving, stays as it is.
func tlsFailure(err error) error {
	var clear tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		return err
	case errors.As(err, &clear) && proxyproto.Looks(clear.RecordHeader[:]):
		return &ended{event.Reason(rtmp.ReasonProxyHeader), errNotTrusted}
	case errors.As(err, &clear) && clear.Conn != nil: // nothing of TLS has been seen yet
		return &ended{event.NotTLS, fmt.Errorf("%s on the listener for RTMPS: the client has to connect to rtmps://, or to the RTMP port", inClear(clear.RecordHeader))}
	case errors.As(err, &remote) && remote.Op == "remote error" && strings.Contains(remote.Err.Error(), "certificate"):
		// An alert of RFC 8446 §6.2, which package tls gives as a text only.
		return &ended{event.BadCertificate, fmt.Errorf("the client does not take this server's certificate: %w", err)}
	}
	return &ended{event.TLSFailed, err}
}

// inClear names what a client speaks instead of TLS, by its first bytes.
func inClear(head [5]byte) string {
	switch {
	case head[0] == 3: // C0 (RTMP §5.2.2)
		return "RTMP in clear"
	case head[0] >= 'A' && head[0] <= 'Z':
		return "HTTP in clear"
	}
	return "something that is not TLS"
}
