package rtmp

import (
	"io"
	"net"
	"time"
)

const (
	// readBufferBytes is what one read may take. Borrowed while there is
	// something to read, so its size costs nothing at rest; as large as a
	// relay's burst.
	readBufferBytes = 64 << 10
	// plainBufferBytes is the read buffer of a connection that cannot wait
	// without one. A TLS connection holds a 16 KiB record of its own.
	plainBufferBytes = 4 << 10
)

// openRaw prepares reads that wait for bytes without holding a buffer.
func (c *Conn) openRaw() {
	tcp, ok := c.nc.(*net.TCPConn)
	if !ok || !rawReads {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		c.raw = raw
		c.tryRead = c.readOnce // once: a method value is an allocation
	}
}

// fill does what is due for the peer, then waits for bytes and reads them into
// c.in, which must be empty.
func (c *Conn) fill() error {
	c.consumed()
	c.house.queue(c)
	if c.mute {
		if c.fills++; c.owed || c.fills > muteFills {
			return ErrOwes
		}
	}
	if err := c.settle(); err != nil {
		return err
	}
	if c.short && c.readNow {
		// What has come meanwhile is for the next visit.
		c.short = false
		return ErrIdle
	}
	if c.opt.BeforeRead != nil {
		c.opt.BeforeRead()
	}
	n, err := c.read()
	if n > 0 {
		c.bytesIn.Add(int64(n))
		c.recordIn(c.in)
		c.house.received += uint32(n)
		c.refill()
		return nil
	}
	c.consumed()
	if err == io.EOF || err == nil {
		if c.dec.MidMessage() {
			return &Error{Reason: ReasonTruncated, Offset: c.dec.Offset(), Err: io.ErrUnexpectedEOF}
		}
		return io.EOF
	}
	return err
}

// consumed gives the read buffer back.
func (c *Conn) consumed() {
	c.in = nil
	c.rbuf.release()
	c.rbuf = nil
}

func (c *Conn) read() (int, error) {
	if c.raw == nil {
		if c.plain == nil {
			c.plain = make([]byte, plainBufferBytes)
		}
		n, err := c.nc.Read(c.plain)
		c.in = c.plain[:n]
		return n, err
	}
	c.idle = false
	if err := c.raw.Read(c.tryRead); err != nil {
		return 0, err
	}
	if c.idle {
		return 0, ErrIdle
	}
	if c.readErr != nil {
		return 0, c.netError("read", c.readErr)
	}
	c.in = c.rbuf.b[:c.readN]
	return c.readN, nil
}

// readOnce reads from the nonblocking fd; false means there is nothing yet.
func (c *Conn) readOnce(fd uintptr) bool {
	c.rbuf = borrow(readBufferBytes)
	n, err := rawRead(fd, c.rbuf.b[:readBufferBytes])
	if wouldBlock(err) {
		c.rbuf.release()
		c.rbuf = nil
		c.idle = c.readNow
		return c.readNow
	}
	c.readN, c.readErr = max(n, 0), err
	c.short = n > 0 && n < readBufferBytes
	return true
}

// refill grants chunk work by the clock, which is looked at only if much of the
// budget is gone.
func (c *Conn) refill() {
	if !c.dec.strained() {
		return
	}
	now := time.Now()
	if due := now.Sub(c.granted).Seconds() * ChunkWorkPerSecond; due >= 1 {
		c.dec.Grant(int(min(due, 1<<30)))
		c.granted = now
	}
}
