package play

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"weir/flv"
	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// HTTP returns the handler of the HTTP listener: GET /APP/NAME.flv.
func (s *Service) HTTP() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{path...}", func(w http.ResponseWriter, r *http.Request) {
		// As over RTMP, what follows "&" is a query.
		path, query, _ := strings.Cut(r.PathValue("path"), "&")
		path, ok := strings.CutSuffix(path, ".flv")
		ok = ok || strings.HasSuffix(query, ".flv")
		name, err := stream.ParseName(path)
		if !ok || err != nil {
			http.Error(w, "Streams are at /APP/NAME.flv", http.StatusNotFound)
			return
		}
		s.serveFLV(w, r, name)
	})
	return mux
}

// serveFLV sends the stream as an endless FLV file.
func (s *Service) serveFLV(w http.ResponseWriter, r *http.Request, name stream.Name) {
	v := &httpViewer{
		Session: event.Session{Remote: r.RemoteAddr, Role: event.RoleViewer, App: name.App, Stream: name.Stream},
		began:   time.Now(), out: http.NewResponseController(w), w: w, leave: make(chan struct{})}
	want, err := s.o.Pulls.Want(r.Context(), name, live.Position{})
	switch {
	case errors.Is(err, relay.ErrNotFound):
		s.o.Emit.Emit(event.Refused{Session: v.Session, Reason: event.NotFound})
		http.Error(w, "No such stream.", http.StatusNotFound)
		return
	case err != nil:
		s.o.Emit.Emit(event.Refused{Session: v.Session, Reason: event.SourceLost, Err: err})
		w.Header().Set("Retry-After", "1")
		http.Error(w, "The stream could not be fetched.", http.StatusServiceUnavailable)
		return
	}
	defer want.Release()
	h := w.Header()
	h.Set("Content-Type", "video/x-flv")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodHead {
		return
	}
	if s.o.Number != nil {
		v.Conn = s.o.Number()
	}
	s.o.Emit.Emit(event.SessionOpened{Session: v.Session})
	done := s.count(name)
	s.hold(v, true)
	reason, by, err := s.copyFLV(r.Context(), v, want.Stream())
	s.hold(v, false)
	done()
	if v.why == event.Kicked { // which may have cut a write short
		reason, by, err = event.Kicked, event.ByServer, nil
		v.out.SetWriteDeadline(time.Now()) // send may have set a later one; what is still buffered is not waited for either
	}
	s.o.Emit.Emit(event.SessionClosed{Session: v.Session, Reason: reason, EndedBy: by, Phase: event.PhaseMedia, Err: err,
		BytesOut: v.sent.Load(), Dur: time.Since(v.began)})
}

// copyFLV follows the stream until it ends, the client leaves or stops taking
// bytes, or the viewer is released.
func (s *Service) copyFLV(ctx context.Context, v *httpViewer, st *live.Stream) (event.Reason, event.Side, error) {
	wake := make(chan struct{}, 1)
	cur := st.NewCursor(live.FLV, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer cur.Close()
	begun := false
	for {
		if v.left() {
			return v.failed(errReleased)
		}
		end, over := cur.Ended() // before Peek: what came until then is still sent
		if b := cur.Peek(walkBytes); len(b) > 0 {
			if !begun {
				begun = true
				if err := s.send(v, fileHeader(st.Info())); err != nil {
					return v.failed(err)
				}
			}
			if err := s.send(v, b); err != nil {
				return v.failed(err)
			}
			cur.Advance(len(b))
			continue
		}
		if err := v.out.Flush(); err != nil {
			return v.failed(err)
		}
		if over {
			reason, by := ending(end)
			return reason, by, nil
		}
		select {
		case <-ctx.Done():
			return event.ClientClosed, event.ByClient, nil
		case <-v.leave:
		case <-wake:
			if s.manyHTTP() {
				time.Sleep(min(gatherHTTP, st.Latency().Max/2))
			}
		}
	}
}

// Each HTTP viewer has a goroutine, which costs a wake-up, two writes and a chunk of HTTP for
// whatever it sends. From manyHTTP viewers on they gather for a while, once woken. Why not
// fewer: 100 of them are woken 8,000 times a second. Why not longer: it is the mean wait of viewers
// that a busy pump serves.
const (
	manyHTTP   = 100
	gatherHTTP = 50 * time.Millisecond
)

func (s *Service) manyHTTP() bool { return s.httpNow.Load() >= manyHTTP }

// fileHeader says which kinds of tracks are to come. Players wait for what it
// announces, so it is made when the first bytes are there, and a kind that has
// shown nothing is not announced.
func fileHeader(i live.Info) []byte {
	audio, video := i.LastAudio >= 0, i.LastVideo >= 0
	for _, t := range i.Tracks {
		video = video || t.Video
		audio = audio || !t.Video
	}
	if !audio && !video {
		audio, video = true, true
	}
	return flv.AppendHeader(nil, audio, video)
}

// errReleased: the viewer is to leave.
var errReleased = errors.New("play: released")

// send writes b, which the client has to take in time.
func (s *Service) send(v *httpViewer, b []byte) error {
	v.out.SetWriteDeadline(time.Now().Add(s.o.WriteStall))
	if v.left() { // a kick's deadline may have been set just before
		return errReleased
	}
	n, err := v.w.Write(b)
	v.sent.Add(int64(n))
	s.httpOut.Add(int64(n))
	return err
}

// failed is who ended an HTTP viewer, and why, when nothing more can be sent.
func (v *httpViewer) failed(err error) (event.Reason, event.Side, error) {
	switch {
	case errors.Is(err, errReleased):
		return v.why, event.ByServer, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return event.WriteStalled, event.ByServer, err
	}
	return event.ClientGone, event.ByClient, err
}
