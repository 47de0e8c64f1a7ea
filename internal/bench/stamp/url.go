package stamp

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"weir/rtmp"
)

// Dialer opens the connection of a session. The zero value of an option that
// takes one means the net package's.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Address is an RTMP URL taken apart: rtmp://HOST[:PORT]/APP/NAME[?QUERY]. The app
// is the path's first segment.
type Address struct {
	Host  string // HOST:PORT
	App   string
	Name  string
	Query string // with its "?", or ""
}

// ParseURL reads an RTMP URL.
func ParseURL(s string) (Address, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Address{}, err
	}
	app, name, ok := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if u.Scheme != "rtmp" || u.Host == "" || !ok || app == "" || name == "" {
		return Address{}, fmt.Errorf("%q: want rtmp://HOST[:PORT]/APP/NAME", s)
	}
	a := Address{Host: u.Host, App: app, Name: name}
	if u.Port() == "" {
		a.Host = net.JoinHostPort(u.Hostname(), "1935")
	}
	if u.RawQuery != "" {
		a.Query = "?" + u.RawQuery
	}
	return a, nil
}

// Stream returns "app/name", by which stamps name the stream.
func (a Address) Stream() string { return a.App + "/" + a.Name }

// open dials and takes a session to the end of connect. The connection is closed
// when ctx ends, which ends every read and write of it.
func (a Address) open(ctx context.Context, dial Dialer, flash string, capsEx uint32) (*rtmp.ClientConn, func(), error) {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", a.Host)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	done := func() {
		stop()
		c.Close()
	}
	if err := c.Handshake(); err != nil {
		done()
		return nil, nil, fmt.Errorf("handshake: %w", err)
	}
	_, err = c.Connect(&rtmp.Connect{App: a.App, TCURL: "rtmp://" + a.Host + "/" + a.App, FlashVer: flash, CapsEx: capsEx})
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	return c, done, nil
}
