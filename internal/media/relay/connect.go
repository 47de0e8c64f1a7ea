package relay

import (
	"context"
	"fmt"
	"net"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/rtmp"
)

// ConnectMember runs handshake, connect and the mutual proof on a fresh
// connection to a node, and returns it ready for streams. Until it returns the
// caller must not read from nc. On an error nc is the caller's to close.
func ConnectMember(ctx context.Context, nc net.Conn, node string, secret []byte, c *rtmp.Connect) (*rtmp.ClientConn, error) {
	proof, offer := member.Offer(secret, node)
	c.Object = append(c.Object, offer...)
	return connect(ctx, nc, c, nil, func(conn *rtmp.ClientConn, res *rtmp.ConnectResult) error {
		answer, err := proof.Answer(res.Properties)
		if err != nil {
			return err
		}
		if _, err := conn.CallNow(member.CommandProve, answer); err != nil {
			return fmt.Errorf("%w: %w", member.ErrNotMember, err)
		}
		return nil
	})
}

// connect runs handshake and connect, and then what the two sides have to say to
// each other before streams; nil: the other side is no member. ctx bounds all of it.
func connect(ctx context.Context, nc net.Conn, c *rtmp.Connect, mark []byte, then func(*rtmp.ClientConn, *rtmp.ConnectResult) error) (*rtmp.ClientConn, error) {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// The deadline is ctx's: one of the handshake's own would be lifted after it,
	// and ctx's with it if they come together.
	conn := rtmp.NewClientConn(nc, rtmp.Options{ChunkSize: live.ChunkSize, Limits: rtmp.Limits{Handshake: -1}, BeforeRead: quickly(nc), Mark: mark})
	if err := conn.Handshake(); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	res, err := conn.Connect(c)
	if err != nil {
		if then == nil {
			err = HungUp(err) // members have words
		}
		return nil, err
	}
	if then != nil {
		if err := then(conn, res); err != nil {
			return nil, err
		}
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	nc.SetDeadline(time.Time{})
	return conn, nil
}
