package play

import (
	"errors"
	"net"
	"sync"

	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// pumped is a viewer whose connection's write side belongs to a pump.
type pumped struct {
	conn *rtmp.ServerConn
	want *relay.Want
	done func() // counts the viewer off
	v    *live.Viewer

	joining sync.Mutex    // held until v is set
	whole   bool          // the pump let go of the socket at the end of a message; set before over is closed
	over    chan struct{} // closed when it has, and the viewer is counted off
}

// pump hands the socket's write side to the hub. From SetOutput on, what the
// session writes waits until the pump takes it, so that nothing can land inside
// a message.
func (s *Service) pump(p *session.Play, want *relay.Want, tcp *net.TCPConn, preamble []byte) (session.Player, error) {
	if !p.Conn.Hold() {
		want.Release()
		return nil, net.ErrClosed
	}
	sink, err := live.NewSocketSink(tcp)
	if err != nil {
		p.Conn.Release()
		want.Release()
		return nil, err
	}
	// Nobody looks at them again, and they are a kilobyte a viewer.
	p.Connect.Object, p.Connect.Args = nil, nil
	pv := &pumped{conn: p.Conn, want: want, done: s.count(p.Name), over: make(chan struct{})}
	// Before the output is the pump's: a writer that waits for it holds the
	// connection's lock, which making messages takes too.
	bye := s.sharedTrailer(p)
	pv.joining.Lock()
	p.Conn.SetOutput(pv.write)
	told := p.Ended // not p: it would stay for as long as the viewer does
	pv.v = want.Stream().Join(live.JoinOptions{
		Sink: sink, Form: live.RTMP,
		Preamble: preamble,
		From:     position(p), Tell: clocks(p),
		Trailer: bye,
		OnEnd: func(r live.Reason, err error) {
			pv.whole = r == live.ReasonLeft || r == live.ReasonUnpublished
			// The pump must not wait for a session, and Leave waits for the pump.
			go pv.finish(told, r, err)
		},
	})
	p.Conn.CountOut(pv.sent) // before finish, which waits for the lock
	pv.joining.Unlock()
	return pv, nil
}

// sharedTrailer is the trailer of a pumped viewer: the same bytes for all, since
// they have the same message stream id.
func (s *Service) sharedTrailer(p *session.Play) []byte {
	if b := s.bye.Load(); b != nil {
		return *b
	}
	// No lock is held meanwhile: somebody may be writing to the connection, for as
	// long as its client takes.
	b := trailer(p)
	if !s.bye.CompareAndSwap(nil, &b) {
		return *s.bye.Load()
	}
	return b
}

// viewer waits until there is one.
func (pv *pumped) viewer() *live.Viewer {
	pv.joining.Lock()
	defer pv.joining.Unlock()
	return pv.v
}

// finish tells the session, unless it has asked for the end itself.
func (pv *pumped) finish(told func(event.Reason, event.Side, error), r live.Reason, err error) {
	pv.viewer() // Join may not have returned
	pv.conn.Release()
	pv.done()
	pv.want.Release()
	pv.conn.CountOut(nil)
	close(pv.over)
	if r != live.ReasonLeft {
		reason, by := ending(r)
		told(reason, by, err)
	}
	if !pv.whole {
		pv.conn.Close() // in mid-message: nothing that follows can be read
	}
}

// write is the connection's output while the pump has it.
func (pv *pumped) write(b []byte) error {
	err := pv.viewer().Write(b)
	if errors.Is(err, live.ErrViewerGone) {
		if <-pv.over; pv.whole {
			return rtmp.ErrOutputOver
		}
	}
	return err
}

// sent is what the pump has sent so far.
func (pv *pumped) sent() int64 { return pv.v.Stats().Bytes }

func (pv *pumped) Pause(on bool) { pv.v.Pause(on) }

func (pv *pumped) Receive(audio, video bool) { pv.v.SetReceive(audio, video) }

// Leave ends the play at a message boundary and gives the write side back.
func (pv *pumped) Leave() {
	pv.v.Finish()
	<-pv.over
	if !pv.whole {
		return
	}
	pv.conn.SetOutput(nil)
	if late := pv.v.Unsent(); len(late) > 0 {
		pv.conn.WriteRaw(late)
	}
}
