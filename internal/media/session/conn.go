package session

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"weir/amf"
	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/internal/trail"
	"weir/rtmp"
)

// conn is one RTMP session.
type conn struct {
	s      *Server
	nc     net.Conn
	from   netip.Addr      // whose connection it counts as
	ctx    context.Context // ends with the session
	cancel context.CancelFunc
	began  time.Time

	// The reader's own.
	rtmp    *rtmp.ServerConn
	client  Client
	proof   *member.Proof
	phase   event.Phase
	used    bool           // something was published or played before
	pending sync.WaitGroup // what the end waits for; others add to it under mu, while not shut
	starts  []func()       // plays to be started when there is nothing to read

	wire atomic.Pointer[rtmp.ServerConn] // rtmp, for other goroutines

	// See park.go and collector.go. The reader's own.
	number     uint64
	unparkable bool
	collector  *collector
	visits     visits // while it is collected, the collector's
	marked     bool   // its read mark is raised
	feeds      bool   // counted in Server.feeds

	// mu guards what the reader shares with Evict, Ended and stop.
	mu      sync.Mutex
	streams netStreams
	asking  bool       // the handler has been asked for a publish, which is no stream yet
	shut    bool       // no stream may be added: what there was is being closed
	parked  bool       // no goroutine reads, nor a collector now
	end     *ending    // why the session ends; the first one stands
	as      event.Role // what its bytes count as: what it was for first; "" until that is known
	own     bool       // this node is the client

	// See take.go; guarded by mu.
	taking chan error             // the handler takes the connection; tells how the reader stopped
	kill   func()                 // ends the session of a taken connection
	past   func() (in, out int64) // what it has received and sent beside the Conn
}

// run is the session from the first byte to the closing line.
func (c *conn) run(talk func() error) {
	switch err := talk(); err {
	case errParked:
	case errTaken:
		c.yield(nil)
	default:
		c.close(err)
		c.s.leave(c.from)
		c.s.wg.Done()
	}
}

func (c *conn) talk() error {
	c.s.o.Emit.Emit(event.SessionOpened{Session: c.client.Session})
	if err := c.handshake(); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return err
	}
	return c.listen()
}

// listen handles what the client says, until the connection ends or is parked.
func (c *conn) listen() error {
	for {
		ev, err := c.next()
		if err != nil {
			return err
		}
		if c.ending() {
			continue // goodbye is said: only the client's own is waited for
		}
		if err := c.dispatch(&ev); err != nil {
			return err
		}
	}
}

// handshake covers TLS and RTMP; the deadline is absolute, so that dripping
// bytes does not extend it. It stays in force through connect.
func (c *conn) handshake() error {
	c.readBy(c.began.Add(c.s.o.Handshake))
	c.nc.SetWriteDeadline(c.began.Add(c.s.o.Handshake))
	if t, ok := c.nc.(*tls.Conn); ok {
		c.phase = event.PhaseTLS
		if err := t.HandshakeContext(c.ctx); err != nil {
			return tlsFailure(err)
		}
	}
	c.phase = event.PhaseHandshake
	c.rtmp = rtmp.NewServerConn(c.nc, rtmp.Options{
		Limits: c.s.o.Wire, HandUp: []string{member.CommandProve, member.CommandQuery},
		Mark: c.s.mark(), Heard: func(mark []byte) { c.client.Trail = trail.Parse(mark) }})
	c.wire.Store(c.rtmp)
	if err := c.rtmp.Handshake(); err != nil {
		return err
	}
	if c.s.o.Record {
		c.rtmp.Record()
	}
	return nil
}

// connect answers the connect command, with a challenge if the client is a node.
func (c *conn) connect() error {
	c.phase = event.PhaseConnect
	req, err := c.rtmp.ReadConnect()
	if err != nil {
		return err
	}
	c.client.Connect = req
	c.client.App, _ = cutQuery(req.App)
	var extra amf.Object
	if proof, reply, ok := member.Challenge(c.s.o.Secret(), c.s.o.Node, req.Object); ok {
		c.proof, extra = proof, reply
	}
	if err := c.rtmp.AcceptConnect(extra); err != nil {
		return err
	}
	c.phase = event.PhaseCommand
	c.nc.SetWriteDeadline(time.Time{})
	c.readBy(time.Now().Add(c.s.o.Command))
	return nil
}

// readBy sets the time by which the client must have said more; zero: none. A
// session that is ending keeps the time of its end.
func (c *conn) readBy(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil && c.taking == nil {
		c.nc.SetReadDeadline(t)
	}
}

// ending reports whether the session has been told to end.
func (c *conn) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil
}

// dispatch hands one event to what it concerns.
func (c *conn) dispatch(ev *rtmp.Event) error {
	switch ev.Kind {
	case rtmp.EventMedia:
		if st := c.stream(ev.StreamID); st != nil && st.publisher != nil {
			if err := st.publisher.Write(ev.Message); err != nil {
				c.publishFailed(st, err)
			}
		}
	case rtmp.EventPublish:
		return c.publish(ev.Publish)
	case rtmp.EventPlay:
		return c.play(ev.Play)
	case rtmp.EventClose:
		c.closeStream(ev.StreamID)
	case rtmp.EventPause:
		c.pause(ev.StreamID, ev.Flag)
	case rtmp.EventReceiveAudio:
		c.receive(ev.StreamID, func(st *netStream) { st.noAudio = !ev.Flag })
	case rtmp.EventReceiveVideo:
		c.receive(ev.StreamID, func(st *netStream) { st.noVideo = !ev.Flag })
	case rtmp.EventCommand:
		return c.memberCommand(ev.Command)
	}
	return nil
}

// memberCommand handles the two commands of nodes.
func (c *conn) memberCommand(cmd *rtmp.Command) error {
	arg := func(i int) string {
		if i < len(cmd.Args) {
			s, _ := cmd.Args[i].(string)
			return s
		}
		return ""
	}
	switch {
	case cmd.Name == member.CommandProve && c.proof != nil:
		node, err := c.proof.Verify(arg(0))
		c.proof = nil // one try
		if err != nil {
			return &ended{event.Unauthorized, err}
		}
		c.client.Member = node
		c.client.Role = event.RoleFeed
		c.rtmp.SetMaxStreams(MemberStreams)
		c.readBy(time.Time{})
		return c.rtmp.Reply(cmd)
	case cmd.Name == member.CommandQuery && c.client.Member != "":
		answer, err := c.s.o.Handler.Query(c.ctx, arg(0), arg(1))
		if err != nil {
			return c.rtmp.ReplyError(cmd, rtmp.CodeCallFailed, err.Error())
		}
		return c.rtmp.Reply(cmd, answer)
	}
	return c.rtmp.ReplyError(cmd, rtmp.CodeCallFailed, "not a member of this cluster")
}

// bytes are what the session has received and sent so far; any goroutine.
func (c *conn) bytes() (in, out int64) {
	r := c.wire.Load()
	if r == nil {
		return 0, 0
	}
	in, out = r.BytesIn(), r.BytesOut()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.past != nil {
		i, o := c.past()
		in, out = in+i, out+o
	}
	return in, out
}
