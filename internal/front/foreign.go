package front

import (
	"context"
	"net"
	"net/netip"

	"weir/internal/media/session"
	"weir/internal/proxyproto"
	"weir/internal/stream"
	"weir/rtmp"
)

// foreignConnect is the client's own connect for a server that is no node: the
// object as it came, member for member, and what stood behind it. Of a client that
// a member speaks for, only what that one said.
func foreignConnect(c *session.Client, name stream.Name) rtmp.Connect {
	if c.Member == "" {
		return *c.Connect
	}
	return rtmp.Connect{App: name.App, Query: c.Facts.Query, TCURL: c.Facts.TCURL, FlashVer: c.Facts.FlashVer,
		SWFURL: c.Facts.SWFURL, PageURL: c.Facts.PageURL}
}

// foreignName is the stream's name as the client said it, with its query.
func foreignName(c *session.Client, name stream.Name, said, query string) string {
	if c.Member != "" {
		return name.Stream
	}
	if query == "" {
		return said
	}
	return said + "?" + query
}

// rest is what a client's command says behind its first n arguments.
func rest(args []any, n int) []any { return args[min(n, len(args)):] }

// dialer dials b for a client, and says first whose connection it is if b is to hear that.
func (f *Front) dialer(b *Backend, c *session.Client) func(context.Context, string) (net.Conn, error) {
	if !b.Foreign || b.Announce == AnnounceNot {
		return f.o.Dial
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		nc, err := f.o.Dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		if d, ok := ctx.Deadline(); ok {
			nc.SetWriteDeadline(d) // lifted with that of the connect
		}
		if _, err := nc.Write(preamble(b.Announce, c.Remote, c.Local)); err != nil {
			nc.Close()
			return nil, err
		}
		return nc, nil
	}
}

// preamble is what goes before the first byte of RTMP.
func preamble(how Announce, remote string, local netip.AddrPort) []byte {
	src, _ := netip.ParseAddrPort(remote) // zero: not known
	switch how {
	case AnnounceProxyV1:
		return proxyproto.AppendV1(nil, src, local)
	case AnnounceProxyV2:
		return proxyproto.AppendV2(nil, src, local)
	case AnnounceSRS:
		return proxyproto.AppendSRS(nil, src)
	}
	return nil
}
