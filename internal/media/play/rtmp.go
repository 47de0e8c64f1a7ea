package play

import (
	"net"
	"sync"

	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/rtmp"
)

// pumped is a viewer whose connection's write side belongs to a pump.
type pumped struct {
	conn *rtmp.ServerConn
	want *relay.Want
	done func() // counts the viewer off
	v    *live.Viewer
	once sync.Once
	over chan struct{} // closed when the pump has let go of the socket
}

// pump hands the socket's write side to the hub. From SetOutput on, what the
// session writes waits until the pump takes it, so that nothing can land inside
// a message.
func (s *Service) pump(p *session.Play, want *relay.Want, tcp *net.TCPConn, preamble []byte) (session.Player, error) {
	sink, err := live.NewSocketSink(tcp)
	if err != nil {
		want.Release()
		return nil, err
	}
	pv := &pumped{conn: p.Conn, want: want, done: s.count(p.Name), over: make(chan struct{})}
	joined := make(chan struct{})
	p.Conn.SetOutput(func(b []byte) error {
		<-joined
		return pv.v.Send(b)
	})
	pv.v = want.Stream().Join(live.JoinOptions{
		Sink: countedSink{sink, p.Conn}, Form: live.RTMP,
		Preamble: preamble,
		Trailer:  trailer(p),
		OnEnd: func(r live.Reason, err error) {
			// The pump must not wait for a session, and Leave waits for the pump.
			go func() {
				pv.release()
				if r != live.ReasonLeft {
					reason, by := ending(r)
					p.Ended(reason, by, err)
				}
			}()
		},
	})
	close(joined)
	return pv, nil
}

// countedSink makes what a pump sends count as the connection's.
type countedSink struct {
	live.Sink
	conn *rtmp.ServerConn
}

func (s countedSink) TryWrite(b []byte) (int, error) {
	n, err := s.Sink.TryWrite(b)
	s.conn.CountOut(n)
	return n, err
}

func (pv *pumped) release() {
	pv.once.Do(func() {
		pv.done()
		pv.want.Release()
		close(pv.over)
	})
}

func (pv *pumped) Pause(on bool) { pv.v.Pause(on) }

func (pv *pumped) Receive(audio, video bool) { pv.v.SetReceive(audio, video) }

// Leave ends the play at a message boundary and gives the write side back.
func (pv *pumped) Leave() {
	pv.v.Finish()
	<-pv.over
	pv.conn.SetOutput(nil)
}
