package health

import (
	"context"
	"net"
	"time"

	"weir/internal/control/fleet"
	"weir/rtmp"
)

// Dialer opens a connection to a host:port.
type Dialer func(ctx context.Context, addr string) (net.Conn, error)

// probe asks a backend once, as its check says.
func probe(ctx context.Context, dial Dialer, b *fleet.Backend, o rtmp.HandshakeOptions) (code int, f *Failure) {
	c := filled(b.Check)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	switch {
	case c.Kind == fleet.CheckHTTP:
		return probeHTTP(ctx, dial, b, c.Timeout)
	case c.Kind == fleet.CheckTCP || b.RTMP == "":
		nc, f := open(ctx, dial, address(b), c.Timeout)
		if f == nil {
			nc.Close()
		}
		return 0, f
	}
	return 0, probeRTMP(ctx, dial, b, c.Timeout, o)
}

// address is where a backend is connected to: a web server alone has no RTMP.
func address(b *fleet.Backend) string {
	if b.RTMP != "" {
		return b.RTMP
	}
	return b.HTTP
}

// good is what a check of a kind ends with when all is well.
func good(b *fleet.Backend) string {
	if k := filled(b.Check).Kind; k == fleet.CheckTCP || k == fleet.CheckRTMP && b.RTMP == "" {
		return connected
	}
	return answered
}

// open dials, and sets the deadline of ctx for all that follows.
func open(ctx context.Context, dial Dialer, addr string, timeout time.Duration) (net.Conn, *Failure) {
	nc, err := dial(ctx, addr)
	if err != nil {
		return nil, dialFailure(addr, err, timeout)
	}
	deadline, _ := ctx.Deadline()
	_ = nc.SetDeadline(deadline) // fails on a closed connection only, which the next read tells
	return nc, nil
}
