package bench

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialer opens connections. established is when TCP was up: the joins' clock for
// the first key frame, without what TLS takes before it.
type dialer struct {
	insecure bool // take any certificate
}

func (d dialer) dial(ctx context.Context, t Target) (nc net.Conn, established time.Time, err error) {
	nc, err = new(net.Dialer).DialContext(ctx, "tcp", t.Host)
	established = time.Now()
	if err != nil || !t.secure() {
		return nc, established, err
	}
	host, _, _ := net.SplitHostPort(t.Host)
	tc := tls.Client(nc, &tls.Config{ServerName: host, InsecureSkipVerify: d.insecure})
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, established, err
	}
	return tc, established, nil
}
