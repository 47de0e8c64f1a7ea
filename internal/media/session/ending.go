package session

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// ending is who ended a session and why.
type ending struct {
	reason event.Reason
	by     event.Side
	err    error
	role   event.Role // of a session that was refused before it had one; "" = as it is
}

// ended is an error of the session's own with its reason.
type ended struct {
	reason event.Reason
	err    error
}

func (e *ended) Error() string { return fmt.Sprintf("%s: %v", e.reason, e.err) }
func (e *ended) Unwrap() error { return e.err }

// stop ends the session from outside its reader, which goes on until the client
// has heard it and closed, or [lastWords] are over. Whoever calls it has told the
// client why.
func (c *conn) stop(e ending) {
	if c.ends(e) {
		c.hangUp()
	}
}

// hangUp is what follows ends.
func (c *conn) hangUp() {
	c.cancel()
	c.mu.Lock()
	for st := range c.streams.all() {
		st.giveUp()
	}
	c.mu.Unlock()
	hangUp(c.nc)
}

// ends notes why the session ends; false if it is ending already.
func (c *conn) ends(e ending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endsLocked(e)
}

// endsIfAlone is ends, if the session has no NetStream.
func (c *conn) endsIfAlone(e ending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams.count() == 0 && c.endsLocked(e)
}

func (c *conn) endsLocked(e ending) bool {
	if c.end != nil {
		return false
	}
	c.end = &e
	c.unparkLocked() // its end is for a reader to see
	if c.kill != nil {
		go c.kill()
	}
	return true
}

// leave ends the session because the node does: what it publishes is told to go
// elsewhere, what it plays gets its last whole message, then the connection
// closes. It waits for the client to take that.
func (c *conn) leave() {
	if !c.ends(ending{reason: event.NodeStopping, by: event.ByServer}) {
		return
	}
	c.cancel()
	c.mu.Lock()
	streams := c.shutLocked()
	c.mu.Unlock()
	for st := range streams.all() {
		st.close()
		c.goodbye(st)
	}
	hangUp(c.nc)
}

// goodbye tells the client that the node goes, and not the stream. A member's
// play hears nothing: its stream is to be had elsewhere.
func (c *conn) goodbye(st *netStream) {
	const why = "The server is going down."
	r := c.wire.Load()
	switch {
	case st.publisher != nil:
		r.Status(st.id, rtmp.LevelError, rtmp.CodePublishRejected, why, nil)
	case st.client.Member == "":
		r.WriteRaw(r.AppendStreamEOF(r.AppendStatus(nil, st.id, rtmp.LevelStatus, rtmp.CodePlayStop, why, nil), st.id))
	}
}

// hangUp ends our side of a connection so that what was written still arrives:
// closing at once would reset it if the client has sent something unread.
func hangUp(nc net.Conn) {
	if cw, ok := nc.(interface{ CloseWrite() error }); ok {
		cw.CloseWrite()
	}
	nc.SetReadDeadline(time.Now().Add(lastWords))
}

// lastWords is how long a client has to close after we have said goodbye.
const lastWords = 2 * time.Second

// close releases everything and writes the closing line.
func (c *conn) close(err error) {
	c.mu.Lock()
	streams := c.shutLocked()
	c.mu.Unlock()
	c.yield(net.ErrClosed) // behind shut, after which nobody takes
	c.cancel()
	if c.number != 0 {
		c.s.parker.forget(c.number)
	}
	if c.feeds {
		c.s.feeds.Add(-1)
	}
	// The socket first: a player that writes must not hold up the rest.
	c.cut()
	for st := range streams.all() {
		st.close()
	}
	c.pending.Wait()
	e := c.why(err)
	if e.role != "" {
		c.client.Role = e.role
	}
	in, out := c.s.remove(c, c.client.Role)
	c.s.o.Emit.Emit(event.SessionClosed{Session: c.client.Session, Reason: e.reason, EndedBy: e.by, Phase: c.phase, Err: e.err,
		BytesIn: in, BytesOut: out, Dur: time.Since(c.began)})
}

// shutLocked lets no stream be added any more, and returns those that are left to close.
func (c *conn) shutLocked() netStreams {
	streams := c.streams
	c.streams, c.shut = nil, true
	return streams
}

// cut closes the connection; any goroutine.
func (c *conn) cut() {
	if r := c.wire.Load(); r != nil {
		r.Close()
	} else {
		c.nc.Close()
	}
}

// why turns what the reader returned into who ended the session and why.
func (c *conn) why(err error) ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	var wire *rtmp.Error
	var own *ended
	switch {
	case c.end != nil:
		return *c.end
	case errors.As(err, &own):
		return ending{reason: own.reason, by: event.ByServer, err: err}
	case errors.As(err, &wire): // before the deadlines: a stalled write is one too
		return ending{reason: event.Reason(wire.Reason), by: event.ByServer, err: err}
	case errors.Is(err, os.ErrDeadlineExceeded) && (c.phase == event.PhaseHandshake || c.phase == event.PhaseConnect || c.phase == event.PhaseTLS):
		return ending{reason: event.HandshakeTimeout, by: event.ByServer}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ending{reason: event.CommandTimeout, by: event.ByServer}
	case errors.Is(err, io.EOF):
		return ending{reason: event.ClientClosed, by: event.ByClient}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ETIMEDOUT):
		return ending{reason: event.ClientGone, by: event.ByClient, err: err}
	}
	return ending{reason: event.InternalFault, by: event.ByServer, err: err}
}
