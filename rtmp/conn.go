package rtmp

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is an RTMP connection below the conversation: handshake, messages, and
// the housekeeping that needs no decision. Both roles share it.
//
// One goroutine reads; any may write. A Conn starts with Limits.PreAuth as its
// message limit; the caller raises it with SetMaxMessage once it knows the peer.
// It never waits for the peer's acknowledgements: TCP paces it.
//
// An idle Conn on TCP holds no buffer in either direction.
type Conn struct {
	// Fixed at construction.
	nc  net.Conn
	opt Options
	raw syscall.RawConn // nil: read through nc

	// The reading goroutine's.
	dec     *Decoder
	in      []byte  // read and not yet decoded; lies in rbuf or plain
	rbuf    *buffer // borrowed while in is not empty
	plain   []byte  // read buffer of a connection without raw
	tryRead func(fd uintptr) bool
	readNow bool  // ErrIdle instead of waiting
	mute    bool  // ErrOwes instead of writing
	short   bool  // the last read took all there was
	idle    bool  // result of tryRead: nothing there
	owed    bool  // something is queued that is to be written before the next wait
	fills   int   // reads since NeverWait
	readN   int   // result of tryRead
	readErr error // result of tryRead
	broken  error // every later read returns it
	parts   AggregateReader
	part    Message
	house   housekeeping
	granted time.Time // when dec's work budget was refilled

	rec               atomic.Pointer[recording]
	bytesIn, bytesOut atomic.Int64
	peerAck           atomic.Uint32
	holds             atomic.Int32 // by Hold; + closing once Close was called

	countMu sync.Mutex
	past    func() int64 // see CountOut; guarded by countMu

	// Under wmu.
	wmu       sync.Mutex
	chunkSize int
	queue     *buffer // not yet written; nil when empty
	output    func(p []byte) error
	writeErr  error // every later write returns it: the framing may be broken
}

// NewConn makes a Conn of nc, which it owns from now on.
func NewConn(nc net.Conn, o Options) *Conn {
	o = o.withDefaults()
	c := &Conn{nc: nc, opt: o, dec: NewDecoder(o.Limits), chunkSize: DefaultInChunkSize, granted: time.Now()}
	c.dec.SetMaxMessage(o.Limits.PreAuth)
	c.openRaw()
	return c
}

// ReadMessage returns the next message that is not the Conn's own business: what
// it swallows are types 1, 2, 3, 5 and 6 and ping requests, and aggregates come
// as their parts. The message is valid until the next call. At the orderly end
// of the connection the error is io.EOF; an [*Error] is the peer's fault; others
// are the network's. Errors are final, except a read deadline's.
func (c *Conn) ReadMessage() (*Message, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	m, err := c.readMessage()
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && err != ErrIdle && err != ErrOwes {
		c.broken = err
		c.dec.Release()
		c.consumed()
	}
	return m, err
}

func (c *Conn) readMessage() (*Message, error) {
	for {
		if c.parts.More() {
			part, err := c.parts.Next()
			c.part = part
			c.part.More = c.Buffered()
			return &c.part, err
		}
		c.dec.Trim()
		if len(c.in) == 0 {
			if err := c.fill(); err != nil {
				return nil, err
			}
		}
		n, m, err := c.dec.Decode(c.in)
		c.in = c.in[n:]
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		m.More = c.Buffered()
		switch {
		case m.Type == Aggregate:
			c.parts = NewAggregateReader(m)
		case m.Type.IsControl():
			if mine, err := c.house.take(c, m); err != nil {
				return nil, err
			} else if !mine {
				return m, nil
			}
		default:
			return m, nil
		}
	}
}

// Buffered reports whether bytes that were read wait to be decoded: whoever
// forwards messages writes once for all of them. Only the reading goroutine may
// ask.
func (c *Conn) Buffered() bool { return len(c.in) > 0 || c.parts.More() }

// ErrIdle: there is nothing to read now. See ReadNow.
var ErrIdle = errors.New("rtmp: nothing to read now")

// ReadNow makes reads that would wait return ErrIdle instead, which is not
// final: a caller that has other means to learn when there is something to read
// needs no goroutine here meanwhile. It has no effect on connections other than
// TCP. Only the reading goroutine may call it.
func (c *Conn) ReadNow(on bool) { c.readNow, c.short = on, false }

// ErrOwes: the peer is owed an answer, which may take time to write. See NeverWait.
var ErrOwes = errors.New("rtmp: an answer is to be written first")

// NeverWait makes reads wait neither for bytes (ErrIdle, as ReadNow does) nor for
// the peer to take an answer: they return ErrOwes, which is not final either, and
// leave the answer to the next read after NeverWait(false). So do they when the peer keeps
// sending, and nothing of it comes out. It is for a goroutine that reads many connections in
// turn. Only on TCP; only the reading goroutine may call it.
func (c *Conn) NeverWait(on bool) {
	c.ReadNow(on)
	c.mute, c.fills = on, 0
}

// muteFills is how many reads NeverWait allows: half a megabyte.
const muteFills = 8

// ReadMark sets how many bytes must have come before the connection counts as
// readable for those who wait for it (SO_RCVLOWAT); the end of the connection always
// does. It is for one who reads by the clock, and whom arrivals should not wake.
// At least 1, the default.
func (c *Conn) ReadMark(n int) error {
	if c.raw == nil {
		return nil
	}
	var err error
	if e := c.raw.Control(func(fd uintptr) { err = setReadMark(fd, n) }); e != nil {
		return e
	}
	return err
}

// SetMaxMessage sets the limit of messages that begin from now on, in bytes; 0
// means Limits.Message. Only the reading goroutine may call it.
func (c *Conn) SetMaxMessage(n int) { c.dec.SetMaxMessage(n) }

// SetReadDeadline bounds reads. A read that it ends may be repeated: nothing of
// the chunk stream is lost.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// NetConn returns the connection below. Whoever reads or writes it directly
// breaks the chunk stream, unless SetOutput has given it the write side.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Close closes the connection; reads and writes under way fail. Queued messages
// are not written. A held connection is shut down at once, and closed when it is
// held no more.
func (c *Conn) Close() error {
	for {
		n := c.holds.Load()
		if n >= closing {
			return nil
		}
		if !c.holds.CompareAndSwap(n, n+closing) {
			continue
		}
		tcp, ok := c.nc.(*net.TCPConn)
		if n == 0 || !ok {
			return c.nc.Close()
		}
		return errors.Join(tcp.CloseRead(), tcp.CloseWrite())
	}
}

// closing is added to Conn.holds by Close.
const closing = 1 << 30

// Hold keeps the connection's descriptor open, whoever calls Close, until
// Release: for one who writes to the descriptor itself, whose number must not
// become another connection's meanwhile. It reports false if the connection is
// closed already.
func (c *Conn) Hold() bool {
	for {
		n := c.holds.Load()
		if n >= closing {
			return false
		}
		if c.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release ends a Hold.
func (c *Conn) Release() {
	if c.holds.Add(-1) == closing {
		c.nc.Close() // not before; a connection that was closed already is no harm
	}
}

// BytesIn returns how many bytes have been read, the handshake's too.
func (c *Conn) BytesIn() int64 { return c.bytesIn.Load() }

// BytesOut returns how many bytes have been written: by the Conn itself, and past it
// as CountOut tells. It never falls.
func (c *Conn) BytesOut() int64 {
	c.countMu.Lock()
	defer c.countMu.Unlock()
	n := c.bytesOut.Load()
	if c.past != nil {
		n += c.past()
	}
	return n
}

// CountOut makes BytesOut ask count for what the owner of the output (see SetOutput)
// has written past the Conn so far. What the one before it says at last stays in
// the sum, so nil ends the counting. count must not fall, nor call into the Conn.
func (c *Conn) CountOut(count func() int64) {
	c.countMu.Lock()
	defer c.countMu.Unlock()
	if c.past != nil {
		c.bytesOut.Add(c.past())
	}
	c.past = count
}

// PeerAck returns the last sequence number that the peer acknowledged.
func (c *Conn) PeerAck() uint32 { return c.peerAck.Load() }
