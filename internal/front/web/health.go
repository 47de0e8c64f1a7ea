package web

import (
	"net/http"
	"sync"
	"time"
)

// health keeps what the health URL says for a moment: it is asked from many
// places at once, and each answer looks at all servers.
type health struct {
	mu            sync.Mutex
	at            time.Time
	publish, play error
}

// answersHealth answers the health URL: 200 while the fleet can take sessions,
// else 503. ?for=publish and ?for=play ask for one of the two; without, either will do.
func (f *Front) answersHealth(w http.ResponseWriter, r *http.Request) bool {
	if f.o.Health == "" || r.URL.Path != f.o.Health {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, "GET or HEAD.")
		return true
	}
	publish, play := f.ready()
	ok := publish == nil || play == nil
	switch r.URL.Query().Get("for") {
	case "publish":
		ok = publish == nil
	case "play":
		ok = play == nil
	}
	status := http.StatusOK
	if !ok {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, "publish: "+word(publish)+"\nplay: "+word(play))
	return true
}

func word(err error) string {
	if err == nil {
		return "yes"
	}
	return "no"
}

func (f *Front) ready() (publish, play error) {
	if f.o.Ready == nil {
		return nil, nil
	}
	f.health.mu.Lock()
	defer f.health.mu.Unlock()
	if now := time.Now(); now.Sub(f.health.at) >= healthFor {
		f.health.at = now
		f.health.publish, f.health.play = f.o.Ready(true), f.o.Ready(false)
	}
	return f.health.publish, f.health.play
}
