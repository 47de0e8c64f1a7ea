package play

import (
	"sync"
	"sync/atomic"

	"weir/internal/media/live"
	"weir/internal/media/session"
	"weir/rtmp"
)

// walkBytes is what one cursor may send before the next has its turn. Why not
// larger: streams that share a connection wait for each other. Why not
// smaller: a system call each.
const walkBytes = 64 << 10

// walker sends any number of streams over one connection.
type walker struct {
	s    *Service
	conn *rtmp.ServerConn
	wake chan struct{}

	mu    sync.Mutex
	walks []*walk
	gone  bool // the goroutine has ended; a newcomer starts another walker
}

// walk is one stream on a walker's connection.
type walk struct {
	w       *walker
	p       *session.Play
	cur     *live.Cursor
	release func()
	gone    <-chan struct{} // the publisher left this node; nil: does not matter
	done    func()          // counts a viewer off; nil for a feed

	paused           atomic.Bool
	noAudio, noVideo atomic.Bool

	// The walker goroutine's own.
	preamble []byte

	leave sync.Once
	left  chan struct{} // asked to leave
	over  chan struct{} // has left
}

// walk adds a play to the connection's walker.
func (s *Service) walk(p *session.Play, st *live.Stream, release func(), preamble []byte, gone <-chan struct{}) session.Player {
	wk := &walk{p: p, release: release, gone: gone, preamble: preamble,
		left: make(chan struct{}), over: make(chan struct{})}
	if !p.Extra.Feed {
		wk.done = s.count(p.Name)
	}
	for !s.walker(p.Conn).add(wk, st) {
	}
	if gone != nil {
		go func() {
			select {
			case <-gone:
				wk.w.poke()
			case <-wk.over:
			}
		}()
	}
	return wk
}

func (s *Service) walker(conn *rtmp.ServerConn) *walker {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.walkers[conn]
	if w == nil {
		w = &walker{s: s, conn: conn, wake: make(chan struct{}, 1)}
		s.walkers[conn] = w
		go w.run()
	}
	return w
}

func (w *walker) add(wk *walk, st *live.Stream) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return false
	}
	wk.w = w
	wk.cur = st.NewCursor(live.RTMP, w.poke)
	if tell := clocks(wk.p); tell != nil {
		wk.cur.StartFrom(position(wk.p))
		wk.cur.Tell(tell)
	}
	w.walks = append(w.walks, wk)
	w.poke()
	return true
}

// poke wakes the walker; it never waits.
func (w *walker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run takes turns among the walks until the last one has left.
func (w *walker) run() {
	var turn []*walk
	var buf []byte
	for {
		w.mu.Lock()
		turn = append(turn[:0], w.walks...)
		if len(turn) == 0 {
			w.gone = true
			w.s.mu.Lock()
			delete(w.s.walkers, w.conn)
			w.s.mu.Unlock()
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		more := false
		for _, wk := range turn {
			var sent bool
			var err error
			buf, sent, err = wk.step(buf[:0])
			if err != nil {
				w.abandon(err)
				return
			}
			more = more || sent
		}
		if !more {
			<-w.wake
		}
	}
}

// step sends one turn's worth of a stream, or what ends it.
func (wk *walk) step(buf []byte) (_ []byte, sent bool, err error) {
	id := wk.p.Request.StreamID
	select {
	case <-wk.left:
		wk.finish()
		return buf, true, nil
	default:
	}
	buf = append(buf, wk.preamble...)
	wk.preamble = nil
	// Asked before the stream is: what it gets until its end goes out before that.
	reason, over := wk.ended()
	var n int
	if !wk.paused.Load() {
		wk.cur.SetReceive(!wk.noAudio.Load(), !wk.noVideo.Load())
		b := wk.cur.Peek(walkBytes)
		n = len(b)
		if id == live.StreamID {
			buf = append(buf, b...)
		} else {
			buf, err = live.PatchStreamID(buf, b, id)
			if err != nil {
				return buf, false, err
			}
		}
	}
	ended := over && n == 0
	if ended {
		buf = append(buf, trailer(wk.p)...)
	}
	if len(buf) == 0 {
		return buf, false, nil
	}
	if err := wk.p.Conn.WriteRaw(buf); err != nil {
		return buf, false, err
	}
	wk.cur.Advance(n)
	if ended {
		wk.finish()
		why, by := ending(reason)
		wk.p.Ended(why, by, nil)
	}
	return buf, true, nil
}

// ended reports whether nothing is to come after what can be read now.
func (wk *walk) ended() (live.Reason, bool) {
	if reason, over := wk.cur.Ended(); over {
		return reason, true
	}
	select {
	case <-wk.gone:
		return live.ReasonUnpublished, true
	default:
		return "", false
	}
}

// finish takes the walk off its walker; the walker's goroutine only.
func (wk *walk) finish() {
	w := wk.w
	w.mu.Lock()
	for i, other := range w.walks {
		if other == wk {
			w.walks = append(w.walks[:i], w.walks[i+1:]...)
			break
		}
	}
	w.mu.Unlock()
	wk.cur.Close()
	wk.release()
	if wk.done != nil {
		wk.done()
	}
	close(wk.over)
}

// abandon ends all walks of a connection that cannot be written to.
func (w *walker) abandon(err error) {
	w.mu.Lock()
	walks := w.walks
	w.gone = true
	w.s.mu.Lock()
	delete(w.s.walkers, w.conn)
	w.s.mu.Unlock()
	w.mu.Unlock()
	for _, wk := range append([]*walk(nil), walks...) {
		wk.finish()
		reason, by := session.WriteFailed(err)
		wk.p.Ended(reason, by, err)
	}
	w.conn.Close()
}

func (wk *walk) Pause(on bool) {
	wk.paused.Store(on)
	wk.w.poke()
}

func (wk *walk) Receive(audio, video bool) {
	wk.noAudio.Store(!audio)
	wk.noVideo.Store(!video)
}

func (wk *walk) Leave() {
	wk.leave.Do(func() { close(wk.left) })
	wk.w.poke()
	<-wk.over
}
