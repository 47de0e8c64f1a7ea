package front

import (
	"context"
	"time"

	"weir/internal/ops/event"
	"weir/internal/stream"
)

// departure is why the front has ended a spliced viewer, whose player comes back by itself
// and is placed anew.
type departure struct {
	reason event.Reason
	by     event.Side
}

var (
	streamLeft   = departure{event.NodeLeft, event.ByServer}
	serverSilent = departure{event.SourceSilent, event.ByBackend}
)

// deadSilence is for how long a server must have said nothing to a spliced viewer, beside
// being found down by its checks, to have the viewer ended. Why not by silence alone: a viewer
// that waits for its stream, or has paused, hears nothing for hours. Why not by the checks
// alone: they may fail while media flows. Why not smaller: two seconds lie between the packets of no
// live stream.
const deadSilence = 2 * time.Second

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
		w.depart(&streamLeft)
	}
}

// settle makes a spliced viewer a guest of its server, to be ended when that is down and
// silent: a frozen server closes nothing.
func (w *wired) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.settled = true
	w.f.settleAt(w, "", w.server)
}

// ended is called once, when the session is over.
func (w *wired) ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.settled {
		w.f.settleAt(w, w.server, "")
	}
	if w.follows != (stream.Name{}) {
		w.f.unfollow(w.follows, w)
	}
}

func (w *wired) depart(why *departure) {
	w.why.CompareAndSwap(nil, why)
	w.s.End()
}

// strays is follower.
func (w *wired) strays(at At) (server string, strays bool) { return w.server, w.server != at.Server }

// rejoin is follower.
func (w *wired) rejoin(context.Context, string) { w.depart(&streamLeft) }

// evacuate is guest. It is asked again and again while the server is down.
func (w *wired) evacuate(_ context.Context, _ string, gentle bool) {
	if !gentle && w.s.ServerSilence() >= deadSilence {
		w.depart(&serverSilent)
	}
}

// stays is guest: gently it cannot be moved.
func (w *wired) stays(gentle bool) bool { return gentle }

// publishes is guest; see settle.
func (w *wired) publishes() bool { return false }

// waits is guest.
func (w *wired) waits() bool { return false }
