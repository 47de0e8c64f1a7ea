package session

import (
	"errors"
	"net"
	"time"

	"weir/internal/ops/event"
)

// errTaken is talk's way to say that the connection is the handler's now.
var errTaken = errors.New("session: taken by the handler")

// Why a connection cannot be taken.
var (
	ErrNotAlone    = errors.New("session: something else is on the connection")
	ErrNotPlainTCP = errors.New("session: not a plain TCP connection")
	ErrNotRecorded = errors.New("session: too much was said to remember it")
)

// Wire is a connection that a handler has taken out of its session, to move its bytes
// itself. The session goes on: it is counted, can be ended from outside, and
// has its closing line; but nobody reads or writes here any more, and what is said to
// the client through the session is lost.
type Wire struct {
	Conn *net.TCPConn
	// In is all that the client has said since the handshake, which may end within a
	// message, and Out all that it was told.
	In, Out []byte
	c       *conn
}

// Attach tells how the session is ended from outside, and what has gone in and out
// past it. end is called once or more, on a goroutine of its own.
func (w *Wire) Attach(end func(), bytes func() (in, out int64)) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	w.c.kill, w.c.past = end, bytes
	if w.c.end != nil {
		go end()
	}
}

// Ended ends the session: its closing line says why, unless it was ended from
// outside. Once; it does not wait.
func (w *Wire) Ended(reason event.Reason, by event.Side, err error) {
	w.c.ends(ending{reason: reason, by: by, err: err})
	go w.c.run(func() error { return nil })
}

// Recorded returns all that the client has said since the handshake, and what it
// was told so far. It fails if the connection cannot be taken, as Take would.
func (p *Play) Recorded() (in, out []byte, err error) { return p.c.recorded() }

// Take takes the connection, from within Handler.Play.
func (p *Play) Take() (*Wire, error) { return p.c.take(false) }

// Recorded is as for a Play.
func (p *Publish) Recorded() (in, out []byte, err error) { return p.c.recorded() }

// Take takes the connection, from within Handler.Publish; the client is then not
// answered here.
func (p *Publish) Take() (*Wire, error) { return p.c.take(true) }

func (c *conn) recorded() (in, out []byte, err error) {
	if _, plain := c.nc.(*net.TCPConn); !plain {
		return nil, nil, ErrNotPlainTCP
	}
	in, out, ok := c.wire.Load().Recorded()
	if !ok {
		return nil, nil, ErrNotRecorded
	}
	return in, out, nil
}

// take stops the reader, unless it is the caller, and gives its connection away.
func (c *conn) take(reading bool) (*Wire, error) {
	if _, _, err := c.recorded(); err != nil {
		return nil, err
	}
	stopped := make(chan error, 1)
	c.mu.Lock()
	others := c.streams.count()
	if !reading {
		others--
	}
	switch {
	case c.end != nil || c.shut:
		c.mu.Unlock()
		return nil, net.ErrClosed
	case others != 0 || c.client.Member != "":
		c.mu.Unlock()
		return nil, ErrNotAlone
	}
	c.taking = stopped
	waits := !reading && !c.parked
	if c.parked {
		c.parked = false // nobody reads, and the parker will start no reader
		c.s.parker.disarm(c.nc.(*net.TCPConn))
	}
	if waits {
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
	c.mu.Unlock()
	if waits {
		if err := <-stopped; err != nil {
			return nil, err
		}
	}
	r := c.wire.Load()
	// What was queued goes out before; later words have nowhere to go.
	err := r.SetOutput(func([]byte) error { return errTaken })
	w := &Wire{Conn: c.nc.(*net.TCPConn), c: c}
	in, out, ok := r.Recorded()
	if !ok {
		err = errors.Join(err, ErrNotRecorded)
	}
	r.StopRecording()
	if err != nil {
		w.Ended(event.InternalFault, event.ByServer, err)
		return nil, err
	}
	w.In, w.Out = in, out
	return w, nil
}

// taken reports whether the handler waits for the reader to stop, which then must
// touch nothing more.
func (c *conn) taken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taking != nil
}

// yield tells a handler that waits in take how the reader stopped.
func (c *conn) yield(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taking != nil {
		select {
		case c.taking <- err:
		default: // it was told already
		}
	}
}

// forgetWords ends the recording for a session that was not taken.
func (c *conn) forgetWords() {
	if !c.taken() {
		c.wire.Load().StopRecording()
	}
}
