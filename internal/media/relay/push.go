package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/deadline"
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/rtmp"
)

// ErrLost: the connection to the server broke.
var ErrLost = errors.New("relay: connection to the server lost")

// RefusedError: the server answered the publish with no.
type RefusedError struct {
	Code        string // onStatus code, NetStream.Publish.BadName …
	Description string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server refused: %s (%s)", e.Code, e.Description)
}

// PushOptions say where and as whom to publish.
type PushOptions struct {
	Dial Dialer
	Addr string
	// Node and Secret make it a push between members: the connection proves
	// itself and Extra goes with the publish. With an empty Node it is a push to
	// anybody's server, and Connect is all that it is told.
	Node   string
	Secret []byte
	Extra  member.PublishExtra

	Connect rtmp.Connect // App and TCURL at least
	Path    string       // stream name, with its query if it has one

	// Type and Args are a stranger's: live, record or append ("" is live), and what
	// the publish says behind it.
	Type string
	Args []any
	Mark []byte // a stranger's, for the handshake

	// Rounds say when what is new is sent, to many servers at a time. Nil: at once.
	Rounds *live.Rounds

	Traffic *Traffic // nil: nobody counts
}

// Push is one stream being published to another server.
type Push struct {
	conn *rtmp.ClientConn
	id   uint32

	stranger bool
	rounds   *live.Rounds
	traffic  *Traffic
	pongs    atomic.Int64  // answers to our pings
	asked    chan struct{} // closed when the server asks the stream to go elsewhere

	taken taken
	ping  ping

	mu  sync.Mutex
	err error
	end chan struct{}
}

// OpenPush connects and publishes, and returns when the server has accepted. A
// refusal is a *RefusedError.
func OpenPush(ctx context.Context, o PushOptions) (*Push, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline.Push)
	defer cancel()
	p := &Push{end: make(chan struct{}), asked: make(chan struct{}), stranger: o.Node == "", rounds: o.Rounds, traffic: o.Traffic}
	var err error
	if p.stranger {
		p.conn, err = DialStranger(ctx, o.Dial, o.Addr, &o.Connect, o.Mark)
	} else {
		var nc net.Conn
		if nc, err = o.Dial(ctx, o.Addr); err != nil {
			return nil, err
		}
		if p.conn, err = ConnectMember(ctx, nc, o.Node, o.Secret, &o.Connect); err != nil {
			nc.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	p.traffic.Opened(p.conn)
	go p.read()
	if err := p.publish(ctx, o); err != nil {
		p.fail(err)
		if p.stranger {
			err = HungUp(err)
		}
		return nil, err
	}
	go func() {
		watch := func() error { return WatchAlive(p, p.end, p.taken.asked) }
		if p.stranger {
			watch = func() error { return WatchStranger(p, &p.pongs, p.end, p.askStranger) }
		}
		if err := watch(); err != nil {
			p.fail(err)
		}
	}()
	return p, nil
}

// askStranger is taken.asked of a server that may not answer pings: while it has not,
// what was sent lately counts as not taken.
func (p *Push) askStranger(now time.Time) bool {
	if p.pongs.Load() == 0 {
		p.taken.unanswered()
	}
	return p.taken.asked(now)
}

// Asked is closed when the server has asked the publisher to go elsewhere. The
// push goes on meanwhile.
func (p *Push) Asked() <-chan struct{} { return p.asked }

func (p *Push) publish(ctx context.Context, o PushOptions) (err error) {
	extra, typ := o.Args, cmp.Or(o.Type, "live")
	if p.stranger {
		p.id, err = p.conn.CreatePublishStream(ctx, o.Path)
	} else {
		p.id, err = p.conn.CreateStream(ctx)
		extra = []any{o.Extra.Object()}
	}
	if err != nil {
		return p.cause(err)
	}
	st, err := p.conn.Publish(ctx, p.id, o.Path, typ, extra...)
	if err != nil {
		return p.cause(err)
	}
	if st.Code != rtmp.CodePublishStart {
		return &RefusedError{Code: st.Code, Description: st.Description}
	}
	return nil
}

// cause prefers why the connection ended over what that did to a caller.
func (p *Push) cause(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	return err
}

// read follows what the server says after it has accepted.
func (p *Push) read() {
	asked := false
	for {
		ev, err := p.conn.Next()
		if err != nil {
			p.fail(fmt.Errorf("%w: %w", ErrLost, err))
			return
		}
		if ev.Kind == rtmp.EventUserControl && ev.Control.Event == rtmp.PingResponse {
			p.pongs.Add(1)
			p.taken.answered(ev.Control.Value)
		}
		if ev.Kind != rtmp.EventStatus {
			continue
		}
		if ev.Status.Code == rtmp.CodeReconnect && !asked {
			asked = true
			close(p.asked)
		}
		if ev.Status.Level == rtmp.LevelError {
			p.fail(&RefusedError{Code: ev.Status.Code, Description: ev.Status.Description})
			return
		}
	}
}

// Run sends the stream, headers and GOP first, until ctx ends (nil) or the server
// fails. It closes the connection. What the server has not taken, the stream keeps: the next push of
// the stream begins there.
func (p *Push) Run(ctx context.Context, s *live.Stream) error {
	// A write that waits for the server must not outlive ctx by more than a
	// goodbye.
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(goodbye, p.Close) })
	defer stop()
	wake := make(chan struct{}, 1)
	turn := p.rounds.Turn(s.Latency().Max/WaitShare, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	cur := s.NewCursor(live.RTMP, turn.News)
	defer cur.Close()
	cur.StartFrom(p.taken.begin(s))
	for left := false; ; {
		if err := p.send(cur, turn); err != nil {
			return err
		}
		if left {
			p.conn.DeleteStream(p.id)
			p.fail(ErrPeersClosed)
			return nil
		}
		select {
		case <-ctx.Done():
			left = true // what waited for its turn goes first
		case <-p.end:
			return p.cause(nil)
		case <-wake:
		}
	}
}

// send sends what there is.
func (p *Push) send(cur *live.Cursor, turn *live.Turn) error {
	began := time.Now()
	writes, messages := 0, 0
	for {
		b, err := p.next(cur)
		if err != nil {
			return err
		}
		if len(b.bytes) == 0 {
			turn.Sent(time.Since(began), writes, messages)
			return nil
		}
		b.append(p.ping.board())
		err = p.conn.WriteRaw(b.bytes)
		writes++
		messages += b.messages
		b.done()
		if err != nil {
			p.fail(fmt.Errorf("%w: sending: %w", ErrLost, err))
			return p.cause(err)
		}
		if ms, ok := cur.Time(); ok {
			p.taken.sent.Store(ms)
		}
	}
}

func (p *Push) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		close(p.end)
		p.conn.Close()
		p.traffic.Over(p.conn)
	}
}

// Close ends the push, if it has not ended yet.
func (p *Push) Close() { p.fail(ErrPeersClosed) }
