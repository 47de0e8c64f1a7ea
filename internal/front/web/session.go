package web

import (
	"errors"
	"sync"
	"time"

	"weir/internal/ops/event"
)

// errKicked ends a session that an operator wants ended.
var errKicked = errors.New("web: an operator ended it")

// Session is what passes through for as long as it lasts, a stream or an upgraded connection, for listings.
type Session struct {
	event.Session
	Server   string
	Upgraded bool
	Began    time.Time
	In, Out  int64 // bytes, from and to the client
}

// sessions are those there are now, by number.
type sessions struct {
	mu  sync.Mutex
	all map[uint64]lasting
}

type lasting struct {
	p        *passing
	who      event.Session
	server   string
	upgraded bool
}

// open lists a session until what it returns is called.
func (s *sessions) open(conn uint64, l lasting) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[uint64]lasting)
	}
	s.all[conn] = l
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, conn)
	}
}

// Sessions lists what passes through now and lasts, in any order.
func (f *Front) Sessions() []Session {
	f.sessions.mu.Lock()
	defer f.sessions.mu.Unlock()
	all := make([]Session, 0, len(f.sessions.all))
	for _, l := range f.sessions.all {
		all = append(all, Session{l.who, l.server, l.upgraded, l.p.began, l.p.in.Load(), l.p.response.out.Load()})
	}
	return all
}

// Kick ends a session; false: there is none of that number.
func (f *Front) Kick(conn uint64) bool {
	f.sessions.mu.Lock()
	defer f.sessions.mu.Unlock()
	l, ok := f.sessions.all[conn]
	if ok {
		l.p.expire(errKicked)
	}
	return ok
}
