package rtmp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// queueBytes is when Queue writes by itself. Larger saves no system call
	// worth having, smaller cuts key frames up.
	queueBytes = 64 << 10
	// pieceBytes is what one write to anything but TCP may hold. Such a
	// connection may not be written to after a time-out, so progress is seen
	// between pieces only.
	pieceBytes = 64 << 10
)

// WriteMessage writes m, after what is queued, in one write call. The payload is
// the caller's again when it returns. The chunk stream is m.ChunkStream if that
// is 2 to 63, else the default of m.Type. A write error is final.
func (c *Conn) WriteMessage(m *Message) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.append(m)
	return c.flush()
}

// WriteMessages writes all of ms in one write call.
func (c *Conn) WriteMessages(ms []Message) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	for i := range ms {
		c.append(&ms[i])
	}
	return c.flush()
}

// Queue keeps m for the next write or Flush; it writes by itself when 64 KiB
// have gathered.
func (c *Conn) Queue(m *Message) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.append(m)
	if c.queue != nil && len(c.queue.b) < queueBytes {
		return c.writeErr
	}
	return c.flush()
}

// answer queues m until the reading goroutine, whose call this is, would have to
// wait: what a client asked in one packet is answered in one.
func (c *Conn) answer(m *Message) error {
	c.owed = true
	return c.Queue(m)
}

// settle writes the answers that wait. It does not touch the lock if there are
// none: the reader must not stand behind a writer that stands behind the peer.
func (c *Conn) settle() error {
	if !c.owed {
		return nil
	}
	c.owed = false
	return c.Flush()
}

// Flush writes what is queued.
func (c *Conn) Flush() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.flush()
}

// WriteRaw writes bytes that already are whole messages in chunks of the size in
// force, after what is queued, and with it if p is small.
func (c *Conn) WriteRaw(p []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.queue != nil && len(c.queue.b)+len(p) <= queueBytes && c.writeErr == nil {
		c.queue = c.queue.room(len(p))
		c.queue.b = append(c.queue.b, p...)
		return c.flush()
	}
	if err := c.flush(); err != nil {
		return err
	}
	return c.send(p)
}

// SetChunkSize tells the peer the size of chunks from now on, and obeys. n is
// MinChunkSize to MaxChunkSize.
func (c *Conn) SetChunkSize(n int) error {
	if n < MinChunkSize || n > MaxChunkSize {
		return fmt.Errorf("rtmp: chunk size %d: want %d to %d", n, MinChunkSize, MaxChunkSize)
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.queue = c.queue.room(16)
	c.queue.b = AppendSetChunkSize(c.queue.b, uint32(n))
	err := c.flush()
	if err == nil {
		c.chunkSize = n
	}
	return err
}

// announce writes before, a new chunk size and the first message in it, at once.
func (c *Conn) announce(before []byte, n int, m *Message) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.queue = c.queue.room(len(before) + 16)
	c.queue.b = AppendSetChunkSize(append(c.queue.b, before...), uint32(n))
	c.chunkSize = n
	c.append(m)
	return c.flush()
}

// ChunkSize returns the outbound chunk size in force.
func (c *Conn) ChunkSize() int {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.chunkSize
}

// ErrOutputOver is what an output (see SetOutput) returns that has let go of the
// socket, at the end of a message: this write and all later ones go to the
// network again.
var ErrOutputOver = errors.New("rtmp: the output is over")

// SetOutput sends all later writes through f, for a pump that owns the socket's
// write side; nil undoes it, and so does f with [ErrOutputOver]. f gets whole
// messages, must not keep p, must not call back into the Conn, and is called by
// one goroutine at a time. What is queued goes out before, the old way.
func (c *Conn) SetOutput(f func(p []byte) error) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	err := c.flush()
	c.output = f
	if f != nil && c.raw == nil && c.opt.Limits.Write > 0 {
		// The last write's deadline would fail the new owner's writes once it passes.
		err = errors.Join(err, c.nc.SetWriteDeadline(time.Time{}))
	}
	return err
}

// append encodes m behind what is queued. Needs wmu.
func (c *Conn) append(m *Message) {
	if c.writeErr != nil {
		return
	}
	c.queue = c.queue.room(MessageSize(len(m.Payload), m.Timestamp, c.chunkSize))
	c.queue.b = AppendMessage(c.queue.b, m, c.chunkSize)
}

// flush writes the queue. Needs wmu.
func (c *Conn) flush() error {
	if c.queue == nil {
		return c.writeErr
	}
	err := c.send(c.queue.b)
	c.queue.release()
	c.queue = nil
	return err
}

// send writes p where writes go. Needs wmu.
func (c *Conn) send(p []byte) error {
	if c.writeErr == nil {
		if c.output != nil {
			c.writeErr = c.output(p)
			if errors.Is(c.writeErr, ErrOutputOver) {
				c.output = nil
				c.writeErr = c.sendNet(p)
			}
		} else {
			c.writeErr = c.sendNet(p)
		}
	}
	return c.writeErr
}

// sendNet writes p to the network for as long as the peer takes some of it every
// Limits.Write. Needs wmu.
func (c *Conn) sendNet(p []byte) error {
	if c.raw != nil {
		return c.sendRaw(p)
	}
	_, tcp := c.nc.(*net.TCPConn)
	limit := c.opt.Limits.Write
	for len(p) > 0 {
		piece := p
		if !tcp {
			piece = p[:min(len(p), pieceBytes)]
		}
		if limit > 0 {
			if err := c.nc.SetWriteDeadline(time.Now().Add(limit)); err != nil {
				return err
			}
		}
		n, err := c.nc.Write(piece)
		c.bytesOut.Add(int64(n))
		c.recordOut(piece[:n])
		p = p[n:]
		if limit > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			if tcp && n > 0 {
				continue
			}
			return &Error{Reason: ReasonWriteStalled, Err: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sendRaw is sendNet on TCP. Nearly always the socket takes everything at once: then
// there is no deadline to set, and the scheduler need not hear of a call that cannot wait.
func (c *Conn) sendRaw(p []byte) error {
	w := rawWriters.Get().(*rawWriter)
	w.c, w.left = c, p
	err := c.raw.Write(w.try)
	failed, waited := w.failed, w.waited
	w.c, w.left, w.failed, w.waited = nil, nil, nil, false
	rawWriters.Put(w)
	if waited {
		c.nc.SetWriteDeadline(time.Time{}) // the next write has its own time
	}
	switch {
	case failed != nil:
		return failed
	case waited && errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Reason: ReasonWriteStalled, Err: err}
	}
	return err
}

// rawWriter is a sendRaw under way. They are shared: a connection that has nothing to
// write keeps nothing for it.
type rawWriter struct {
	c      *Conn
	left   []byte
	failed error
	waited bool // not all was taken at once
	try    func(fd uintptr) bool
}

var rawWriters = sync.Pool{New: func() any {
	w := new(rawWriter)
	w.try = w.once // once: a method value is an allocation
	return w
}}

// once writes what is left to the nonblocking fd; false means that the rest has to wait.
func (w *rawWriter) once(fd uintptr) bool {
	c := w.c
	for len(w.left) > 0 {
		n, err := rawWrite(fd, w.left)
		c.bytesOut.Add(int64(n))
		c.recordOut(w.left[:n])
		w.left = w.left[n:]
		switch {
		case wouldBlock(err):
			if limit := c.opt.Limits.Write; limit > 0 {
				w.waited = true
				w.failed = c.nc.SetWriteDeadline(time.Now().Add(limit))
			}
			return w.failed != nil
		case err != nil:
			w.failed = c.netError("write", err)
			return true
		}
	}
	return true
}

func (c *Conn) netError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.nc.LocalAddr(), Addr: c.nc.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}
