package splice

// mail is what other goroutines want of a loop: one of its fields is set.
type mail struct {
	join *Session
	end  *Session
}

// post gives the loop mail; any goroutine.
func (l *loop) post(m mail) {
	l.mu.Lock()
	l.mail = append(l.mail, m)
	ring := l.parked
	l.parked = false
	l.mu.Unlock()
	if ring {
		l.poll.ring()
	}
}

// close ends all sessions and then the loop; any goroutine.
func (l *loop) close() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.post(mail{})
}

// read handles the mail; true when the loop is over.
func (l *loop) read() (over bool) {
	l.mu.Lock()
	all, closing := l.mail, l.closing
	l.mail = nil
	l.mu.Unlock()
	for _, m := range all {
		switch {
		case m.join != nil:
			l.add(m.join)
		case m.end != nil:
			l.end(m.end, ByUs, ErrEnded)
		}
	}
	if !closing {
		return false
	}
	for _, s := range l.table {
		if s != nil {
			l.end(s, ByUs, ErrEnded)
		}
	}
	return l.sessions.Load() == 0 // none is on its way here either
}
