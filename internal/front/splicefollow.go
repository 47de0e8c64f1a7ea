package front

import (
	"context"

	"weir/internal/stream"
)

// attend has a spliced viewer follow its stream. Nothing can take it to another server; it is
// ended when the stream has gone there, since a server that the stream has left keeps its
// viewers: nginx-rtmp for as long as they like, without a picture.
func (w *wired) attend(name stream.Name) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.follows = name
	w.f.follow(name, w)
	if at, ok := w.f.o.Registry.At(name); ok && at.Server != w.server { // it went before that
		w.depart()
	}
}

// ended is called once, when the session is over.
func (w *wired) ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.follows != (stream.Name{}) {
		w.f.unfollow(w.follows, w)
	}
}

func (w *wired) depart() {
	w.left.Store(true)
	w.s.End()
}

// strays is follower.
func (w *wired) strays(at At) (server string, strays bool) { return w.server, w.server != at.Server }

// evacuate is follower.
func (w *wired) evacuate(context.Context, string, bool) { w.depart() }
