package play

import (
	"net"
	"sync"

	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
)

// pumped is a viewer whose connection's write side belongs to a pump.
type pumped struct {
	want *relay.Want
	done func() // counts the viewer off
	v    *live.Viewer
	once sync.Once
	over chan struct{} // closed when the pump has let go of the socket
}

// pump hands the socket's write side to the hub. From SetOutput on, what the
// session writes waits until the pump takes it, so that nothing can land inside
// a message.
func (s *Service) pump(p *session.Play, want *relay.Want, tcp *net.TCPConn) (session.Player, error) {
	sink, err := live.NewSocketSink(tcp)
	if err != nil {
		want.Release()
		return nil, err
	}
	pv := &pumped{want: want, done: s.count(p.Name), over: make(chan struct{})}
	joined := make(chan struct{})
	p.Conn.SetOutput(func(b []byte) error {
		<-joined
		return pv.v.Send(b)
	})
	pv.v = want.Stream().Join(live.JoinOptions{
		Sink: sink, Form: live.RTMP,
		Preamble: p.Conn.AppendAcceptPlay(nil, p.Request, nil),
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

func (pv *pumped) release() {
	pv.once.Do(func() {
		pv.done()
		pv.want.Release()
		close(pv.over)
	})
}

func (pv *pumped) Pause(on bool) { pv.v.Pause(on) }

func (pv *pumped) Receive(audio, video bool) { pv.v.SetReceive(audio, video) }

// Leave ends the play. The pump may be in the middle of a message, so the
// connection has no use afterwards; the session closes it.
func (pv *pumped) Leave() {
	pv.v.Close()
	<-pv.over
}
