package front

import (
	"context"
	"sync"
	"sync/atomic"

	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/stream"
	"weir/rtmp"
)

// leg is a carried viewer's connection to one edge.
type leg struct {
	backend Backend
	conn    *rtmp.ClientConn
	traffic *relay.Traffic // where conn counts; nil: nowhere
	id      uint32
	// timeline is the publisher's clock at a foreign server, if it is known; a node
	// says itself on which clock its frames are.
	timeline string
	epoch    stream.Epoch // under which a node has the stream; zero if it does not say
	reading  atomic.Bool
	once     sync.Once
	done     chan struct{}

	foreign foreignLeg
}

// openLeg connects to an edge as the client and asks for the stream. The edge
// may hold the answer back for as long as it waits for the stream, so only the
// connecting has a limit; ctx ends with the client. from is what the client has had.
func (f *Front) openLeg(ctx context.Context, p *session.Play, b Backend, from live.Position) (*leg, error) {
	if b.Foreign {
		return f.openForeignLeg(ctx, p, b)
	}
	dctx, cancel := context.WithTimeout(ctx, relay.DialTimeout)
	defer cancel()
	nc, err := f.o.Dial(dctx, b.Addr)
	if err != nil {
		return nil, err
	}
	connect := connectAs(&p.Client, b.Addr)
	conn, err := relay.ConnectMember(dctx, nc, f.o.Node, f.o.Secret(), &connect)
	if err != nil {
		nc.Close()
		return nil, err
	}
	l := f.newLeg(b, conn)
	go func() {
		if relay.WatchAlive(l, l.done, nil) != nil {
			l.close()
		}
	}()
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	if err := l.request(p, from); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// newLeg counts the connection; close ends that.
func (f *Front) newLeg(b Backend, conn *rtmp.ClientConn) *leg {
	l := &leg{backend: b, conn: conn, traffic: f.trafficTo(&b), done: make(chan struct{})}
	l.traffic.Opened(conn)
	return l
}

// request says createStream and play and reads to the answer, on this goroutine:
// nothing else reads yet, so no media can slip past.
func (l *leg) request(p *session.Play, from live.Position) (err error) {
	l.reading.Store(true)
	defer l.reading.Store(false)
	if l.id, err = l.conn.CreateStreamNow(); err != nil {
		return err
	}
	r := p.Request
	extra := member.PlayExtra{Resume: from.Base, At: from.At, Hops: p.Extra.Hops + 1, Client: p.Facts}
	if err := l.conn.Send(l.id, "play", p.Name.String(), r.Start, r.Duration, r.Reset, extra.Object()); err != nil {
		return err
	}
	for {
		ev, err := l.conn.Next()
		if err != nil {
			return err
		}
		if ev.Kind != rtmp.EventStatus {
			continue
		}
		switch {
		case ev.Status.Code == rtmp.CodePlayStart:
			facts, _ := member.ParseFeedFacts(ev.Status.Info) // only nodes have any
			l.epoch = facts.Epoch
			return nil
		case ev.Status.Level == rtmp.LevelError:
			return &relay.RefusedError{Code: ev.Status.Code, Description: ev.Status.Description}
		}
	}
}

// next reads what the server says next.
func (l *leg) next() (rtmp.Event, error) {
	l.reading.Store(true)
	defer l.reading.Store(false)
	return l.conn.Next()
}

// Reading, BytesIn and Ping are for those who watch whether the server is alive. The leg is not
// read while its client takes nothing; what the server says then waits in the socket.
func (l *leg) Reading() bool           { return l.reading.Load() }
func (l *leg) BytesIn() int64          { return l.conn.BytesIn() }
func (l *leg) Ping(stamp uint32) error { return l.conn.Ping(stamp) }

func (l *leg) pause(on bool) { l.conn.Send(l.id, "pause", on, 0) }

func (l *leg) receive(audio, video bool) {
	l.conn.Send(l.id, "receiveAudio", audio)
	l.conn.Send(l.id, "receiveVideo", video)
}

// close ends the leg; any goroutine, any number of times.
func (l *leg) close() {
	l.once.Do(func() {
		close(l.done)
		l.conn.Close()
		l.traffic.Over(l.conn)
	})
}
