package play

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
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

// httpViewer is one viewer over HTTP. It has a closing line as any session.
type httpViewer struct {
	event.Session
	began time.Time
	out   *http.ResponseController
	w     http.ResponseWriter
	sent  atomic.Int64
	leave chan struct{} // closed by release
	why   event.Reason  // set before leave is closed
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
		select {
		case <-v.leave:
			return v.why, event.ByServer, nil
		default:
		}
		end, over := cur.Ended() // before Peek: what came until then is still sent
		if b := cur.Peek(walkBytes); len(b) > 0 {
			if !begun {
				begun = true
				if err := s.send(v, fileHeader(st.Info())); err != nil {
					return writeFailed(err)
				}
			}
			if err := s.send(v, b); err != nil {
				return writeFailed(err)
			}
			cur.Advance(len(b))
			continue
		}
		if err := v.out.Flush(); err != nil {
			return writeFailed(err)
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

// send writes b, which the client has to take in time.
func (s *Service) send(v *httpViewer, b []byte) error {
	v.out.SetWriteDeadline(time.Now().Add(s.o.WriteStall))
	n, err := v.w.Write(b)
	v.sent.Add(int64(n))
	s.httpOut.Add(int64(n))
	return err
}

// writeFailed is who ended an HTTP viewer, and why, when it takes no bytes.
func writeFailed(err error) (event.Reason, event.Side, error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return event.WriteStalled, event.ByServer, err
	}
	return event.ClientGone, event.ByClient, err
}

func (s *Service) hold(v *httpViewer, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.http[v] = true
	} else {
		delete(s.http, v)
	}
	s.httpNow.Store(int64(len(s.http)))
}

// HTTPLoad is the number of viewers over HTTP now, and the bytes sent to all
// there have been.
func (s *Service) HTTPLoad() (viewers int, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.http), s.httpOut.Load()
}

// ReleaseHTTP ends up to n more viewers over HTTP, at the end of a tag, and returns
// how many. They count in HTTPLoad until they are gone.
func (s *Service) ReleaseHTTP(n int) (released int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v, stays := range s.http {
		if released >= n {
			break
		}
		if stays {
			s.release(v, event.NodeStopping)
			released++
		}
	}
	return released
}

// release needs s.mu.
func (s *Service) release(v *httpViewer, why event.Reason) {
	s.http[v] = false
	v.why = why
	close(v.leave)
}

// HTTPViewer is one viewer over HTTP, for listings.
type HTTPViewer struct {
	event.Session
	Began time.Time
	Sent  int64 // bytes
}

// HTTPViewers lists those there are now, in any order.
func (s *Service) HTTPViewers() []HTTPViewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]HTTPViewer, 0, len(s.http))
	for v := range s.http {
		all = append(all, HTTPViewer{v.Session, v.began, v.sent.Load()})
	}
	return all
}

// KickHTTP ends a viewer over HTTP, also one that takes no bytes; false: there is none of that number.
func (s *Service) KickHTTP(conn uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v, stays := range s.http {
		if v.Conn != conn {
			continue
		}
		if stays {
			s.release(v, event.Kicked)
		}
		v.out.SetWriteDeadline(time.Now())
		return true
	}
	return false
}
