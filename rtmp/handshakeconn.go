package rtmp

import (
	"io"
	"time"
)

// ServerHandshake and ClientHandshake run the handshake within Limits.Handshake,
// all of it, and leave no deadline behind. If that limit is negative they leave
// the deadlines to the caller.
func (c *Conn) ServerHandshake() (HandshakeInfo, error) { return c.handshake(ServerHandshake) }

// ClientHandshake is the client's side; see ServerHandshake.
func (c *Conn) ClientHandshake() (HandshakeInfo, error) { return c.handshake(ClientHandshake) }

func (c *Conn) handshake(run func(io.ReadWriter, HandshakeOptions) (HandshakeInfo, error)) (HandshakeInfo, error) {
	if limit := c.opt.Limits.Handshake; limit > 0 {
		if err := c.nc.SetDeadline(time.Now().Add(limit)); err != nil {
			return HandshakeInfo{}, err
		}
		defer c.nc.SetDeadline(time.Time{})
	}
	return run(handshakeIO{c}, HandshakeOptions{Rand: c.opt.Rand, Simple: c.opt.SimpleHandshake, Mark: c.opt.Mark, Heard: c.opt.Heard})
}

// handshakeIO reads and writes as the Conn does.
type handshakeIO struct{ c *Conn }

func (h handshakeIO) Read(p []byte) (n int, err error) {
	c := h.c
	if c.raw == nil {
		n, err = c.nc.Read(p)
		c.bytesIn.Add(int64(n))
		return n, err
	}
	var failed error
	err = c.raw.Read(func(fd uintptr) bool {
		n, failed = rawRead(fd, p)
		return !wouldBlock(failed)
	})
	n = max(n, 0)
	c.bytesIn.Add(int64(n))
	switch {
	case err != nil:
		return n, err
	case failed != nil:
		return n, c.netError("read", failed)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

func (h handshakeIO) Write(p []byte) (n int, err error) {
	c := h.c
	if c.raw == nil {
		n, err = c.nc.Write(p)
		c.bytesOut.Add(int64(n))
		return n, err
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.sendRaw(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
