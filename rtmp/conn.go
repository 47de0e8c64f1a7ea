package rtmp

import (
	"net"
	"time"
)

// Conn is an RTMP connection after construction; both roles share it.
type Conn struct {
	nc  net.Conn
	opt Options
}

func NewConn(nc net.Conn, o Options) *Conn { return &Conn{nc: nc, opt: o.withDefaults()} }

// ServerHandshake and ClientHandshake run the handshake within
// Limits.Handshake and leave no deadline behind.
func (c *Conn) ServerHandshake() (HandshakeInfo, error) { return HandshakeInfo{}, nil }
func (c *Conn) ClientHandshake() (HandshakeInfo, error) { return HandshakeInfo{}, nil }

func (c *Conn) ReadMessage() (*Message, error)    { return nil, nil }
func (c *Conn) SetMaxMessage(n int)               {}
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }
func (c *Conn) WriteMessage(m *Message) error     { return nil }
func (c *Conn) WriteMessages(ms []Message) error  { return nil }
func (c *Conn) Queue(m *Message) error            { return nil }
func (c *Conn) Flush() error                      { return nil }

// WriteRaw sends bytes that already are chunks of the chunk size in force.
func (c *Conn) WriteRaw(p []byte) error          { return nil }
func (c *Conn) SetChunkSize(n int) error         { return nil }
func (c *Conn) ChunkSize() int                   { return MinChunkSize }
func (c *Conn) SetOutput(f func(p []byte) error) {}
func (c *Conn) NetConn() net.Conn                { return c.nc }
func (c *Conn) Close() error                     { return c.nc.Close() }
func (c *Conn) BytesIn() int64                   { return 0 }
func (c *Conn) BytesOut() int64                  { return 0 }
