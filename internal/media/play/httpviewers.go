package play

import (
	"net/http"
	"sync/atomic"
	"time"

	"weir/internal/ops/event"
)

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

// left reports whether the viewer has been released.
func (v *httpViewer) left() bool {
	select {
	case <-v.leave:
		return true
	default:
		return false
	}
}

// hold lists the viewer, or no longer.
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
		v.out.SetWriteDeadline(time.Now()) // after it was released: see send
		return true
	}
	return false
}
