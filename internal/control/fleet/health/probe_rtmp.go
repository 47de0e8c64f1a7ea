package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"weir/internal/control/fleet"
	"weir/rtmp"
)

// probeRTMP completes a handshake. Why no connect: which applications there are is the operator's
// secret, servers refuse unknown ones, and hooks (on_connect) would be called for each check.
func probeRTMP(ctx context.Context, dial Dialer, b *fleet.Backend, timeout time.Duration, o rtmp.HandshakeOptions) *Failure {
	nc, f := open(ctx, dial, b.RTMP, timeout)
	if f != nil {
		return f
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) }) // the backend was removed
	defer stop()
	if hello := hello(b.Announce, nc); hello != nil {
		if _, err := nc.Write(hello); err != nil {
			return broken(b.RTMP, err, timeout)
		}
	}
	if _, err := rtmp.ClientHandshake(nc, o); err != nil {
		return broken(b.RTMP, err, timeout)
	}
	return nil
}

// broken says why a handshake did not complete.
func broken(addr string, err error, timeout time.Duration) *Failure {
	if timedOut(err) {
		return silence(addr, "RTMP handshake", timeout)
	}
	var e *rtmp.Error
	if errors.As(err, &e) && e.Reason == rtmp.ReasonHandshakeEnded {
		return &Failure{Status: answerBroken, Reason: addr + ": closes connections in the RTMP handshake"}
	}
	if e != nil {
		return &Failure{Status: answerBroken, Reason: addr + ": what answers does not speak RTMP"}
	}
	return &Failure{Status: answerBroken, Reason: fmt.Sprintf("%s: the RTMP handshake ended: %v", addr, bare(err))}
}
