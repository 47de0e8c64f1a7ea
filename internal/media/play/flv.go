package play

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"weir/flv"
	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/stream"
)

// HTTP returns the handler of the HTTP listener: GET /APP/NAME.flv.
func (s *Service) HTTP() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{path...}", func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutSuffix(r.PathValue("path"), ".flv")
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
	want, err := s.pulls.Want(r.Context(), name)
	switch {
	case errors.Is(err, relay.ErrNotFound):
		http.Error(w, "No such stream.", http.StatusNotFound)
		return
	case err != nil:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "The stream could not be fetched.", http.StatusServiceUnavailable)
		return
	}
	defer want.Release()
	done := s.count(name)
	defer done()
	h := w.Header()
	h.Set("Content-Type", "video/x-flv")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodHead {
		return
	}
	s.copyFLV(r.Context(), w, want.Stream())
}

// copyFLV follows the stream until it ends, the client leaves or stops taking
// bytes.
func (s *Service) copyFLV(ctx context.Context, w http.ResponseWriter, st *live.Stream) {
	out := http.NewResponseController(w)
	wake := make(chan struct{}, 1)
	cur := st.NewCursor(live.FLV, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer cur.Close()
	if !send(out, w, flv.AppendHeader(nil, true, true)) {
		return
	}
	for {
		_, over := cur.Ended() // before Peek: what came until then is still sent
		if b := cur.Peek(walkBytes); len(b) > 0 {
			if !send(out, w, b) {
				return
			}
			cur.Advance(len(b))
			continue
		}
		if out.Flush() != nil {
			return
		}
		if over {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
	}
}

// writeStall ends an HTTP viewer that takes no byte for so long.
const writeStall = 10 * time.Second

// send writes b; false when the client is gone or takes nothing.
func send(out *http.ResponseController, w http.ResponseWriter, b []byte) bool {
	out.SetWriteDeadline(time.Now().Add(writeStall))
	_, err := w.Write(b)
	return err == nil
}
