package front

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/front/splice"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// splicer is a front's joined connections. They are made with the first one.
type splicer struct {
	once   sync.Once
	joiner atomic.Pointer[splice.Joiner]
}

func (f *Front) joiner() *splice.Joiner {
	f.splicer.once.Do(func() { f.splicer.joiner.Store(splice.New(splice.Options{MaxAdded: f.o.SpliceLatency})) })
	return f.splicer.joiner.Load()
}

// Spliced are the figures of what is joined in the kernel now.
func (f *Front) Spliced() splice.Stats {
	if j := f.splicer.joiner.Load(); j != nil {
		return j.Stats()
	}
	return splice.Stats{}
}

// close ends what is left. Nobody joins any more.
func (s *splicer) close() {
	s.once.Do(func() {}) // or never
	if j := s.joiner.Load(); j != nil {
		j.Close()
	}
}

// splicePlay joins a viewer and a foreign server in the kernel. The server has
// accepted the play, or has said nothing yet, when it returns; ctx ends with the client's
// patience and is not the session's. The session's end is reported by the
// connection that was taken; at both ends it counts with [Front.enter].
func (f *Front) splicePlay(ctx context.Context, p *session.Play, b Backend) (session.Player, error) {
	if !p.Alone {
		return nil, notSpliced(event.NotAlone, nil)
	}
	w, err := f.splice(ctx, p, p.Name, &p.Client, &b, p.Request.StreamID, false)
	if err != nil {
		return nil, err
	}
	w.settle()
	if !b.Shared {
		w.attend(p.Name)
	}
	return w, nil
}

// splicePublish is the same for a publisher, whose stream has been claimed. The
// server's acceptance is the client's answer.
func (f *Front) splicePublish(ctx context.Context, p *session.Publish, b Backend) (session.Publisher, error) {
	w, err := f.splice(ctx, p, p.Name, &p.Client, &b, p.Request.StreamID, true)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// taker is a client's wish whose connection can be taken.
type taker interface {
	Recorded() (in, out []byte, err error)
	Take() (*session.Wire, error)
}

// splice says the client's words to a server, then joins the two. Until the
// connection is taken the client knows nothing of it, and can be carried, or
// offered to another server.
func (f *Front) splice(ctx context.Context, t taker, name stream.Name, c *session.Client, b *Backend, id uint32, publish bool) (*wired, error) {
	in, out, err := t.Recorded()
	switch {
	case c.Member != "":
		return nil, notSpliced(event.Unrepeatable, errors.New("a member speaks for the client"))
	case errors.Is(err, session.ErrNotPlainTCP):
		return nil, notSpliced(event.NotPlainTCP, nil)
	case err != nil:
		return nil, notSpliced(event.Unrepeatable, err)
	}
	words, err := parseScript(in, id)
	if err != nil {
		return nil, notSpliced(event.Unrepeatable, err)
	}
	words.publish = publish
	dctx, cancel := context.WithTimeout(ctx, relay.DialTimeout)
	nc, err := f.dialer(b, c)(dctx, b.Addr)
	cancel()
	if err != nil {
		return nil, err
	}
	server, err := replay(ctx, nc, words, f.mark(c))
	if err == nil {
		_, err = align(out, server.swallowed)
		err = errors.Join(err, echoes(words, out, server.swallowed))
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	taken, err := t.Take()
	if err != nil {
		nc.Close()
		if errors.Is(err, session.ErrNotAlone) {
			return nil, notSpliced(event.NotAlone, nil)
		}
		return nil, err
	}
	w, err := f.wire(taken, server, name, c, b, len(in), publish)
	if err != nil {
		taken.Conn.Close()
		nc.Close()
		taken.Ended(event.InternalFault, event.ByServer, err)
		return nil, err
	}
	return w, nil
}

// stallLimit is how long one side may take nothing. It is that of all writes.
const stallLimit = rtmp.WriteTimeout

// wire joins a taken connection and a server that has heard the first said bytes
// of it.
func (f *Front) wire(taken *session.Wire, server *replayed, name stream.Name, c *session.Client, b *Backend, said int, publish bool) (*wired, error) {
	// Again: the client may have been told more meanwhile.
	sync, err := align(taken.Out, server.swallowed)
	if err != nil {
		return nil, err
	}
	entry := f.enter(name, b, publish, true)
	rest := taken.In[said:]
	w := &wired{f: f, server: b.Node}
	ready := make(chan struct{})
	pair := splice.Pair{
		Client: taken.Conn, Server: server.nc,
		ToClient: append(sync, server.kept...), ToServer: rest,
		Stall:         stallLimit,
		CountToServer: entry.In, CountToClient: entry.Out,
		Ended: func(e splice.Ended) {
			go func() { // a loop that serves thousands has called
				<-ready
				entry.End()
				f.traffic.Over(splicedTraffic{w.s})
				w.ended()
				reason, by, err := f.spliceEnded(c, b, e)
				if why := w.why.Load(); why != nil && e.By == splice.ByUs {
					reason, by, err = why.reason, why.by, nil
				}
				taken.Ended(reason, by, err)
			}()
		},
	}
	if publish && f.o.Silence > 0 {
		pair.ClientIdle = max(f.o.FirstMedia, f.o.Silence)
	}
	s, err := f.joiner().Join(pair)
	if err != nil {
		entry.End()
		return nil, err
	}
	w.s = s
	f.traffic.Opened(splicedTraffic{s})
	taken.Attach(s.End, func() (in, out int64) {
		toClient, toServer := s.Bytes()
		return toServer - min(toServer, int64(len(rest))), toClient // the rest was read by the session
	})
	close(ready)
	return w, nil
}

// spliceEnded is the closing line's account of a joined session.
func (f *Front) spliceEnded(c *session.Client, b *Backend, e splice.Ended) (event.Reason, event.Side, error) {
	switch {
	case e.By == splice.ByClient && errors.Is(e.Err, splice.ErrStalled):
		return event.WriteStalled, event.ByServer, nil
	case e.By == splice.ByClient && errors.Is(e.Err, splice.ErrIdle):
		return event.PublisherSilent, event.ByServer, nil
	case e.By == splice.ByClient && (errors.Is(e.Err, splice.ErrClosed) || errors.Is(e.Err, splice.ErrLinger)):
		return event.ClientClosed, event.ByClient, nil
	case e.By == splice.ByClient:
		return event.ClientGone, event.ByClient, e.Err
	case e.By == splice.ByServer && (errors.Is(e.Err, splice.ErrClosed) || errors.Is(e.Err, splice.ErrLinger)):
		// In good order: the stream may have ended. Whether the server lives is for its
		// checks to say.
		return event.SourceLost, event.ByBackend, nil
	case e.By == splice.ByServer:
		f.backendFailed(c.Session, b, event.PhaseMedia, event.SourceLost, e.Err)
		return event.SourceLost, event.ByBackend, fmt.Errorf("%s: %w", b.Node, e.Err)
	}
	return event.InternalFault, event.ByServer, e.Err // or why it was ended from outside
}

// wired is a joined session as the client's session sees it. What the client
// says to a player it says to the server itself.
type wired struct {
	s      *splice.Session
	f      *Front
	server string
	why    atomic.Pointer[departure] // it is ended by the front

	mu      sync.Mutex
	over    bool
	settled bool        // of a viewer: it is among the guests of its server
	follows stream.Name // of a viewer, of a server that does not share streams with others
}

func (w *wired) Pause(bool)                {}
func (w *wired) Receive(audio, video bool) {}

// Leave and Close end it; they do not wait.
func (w *wired) Leave() { w.s.End() }
func (w *wired) Close() { w.s.End() }

// Write is never called: nobody reads the client here.
func (w *wired) Write(*rtmp.Message) error { return nil }

// Silence is since when a publisher has said nothing.
func (w *wired) Silence() time.Duration { return w.s.ClientSilence() }
