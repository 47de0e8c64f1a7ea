package live

import "time"

type op uint8

const (
	opJoin op = iota
	opServe
	opPause
	opResume
	opReceive
	opLeave
	opFinish
	opEnd
	opGone // a publisher has found its end: see pump.drop
	opStop
)

// mail is what other goroutines ask of a pump. It is read in the order of posting.
type mail struct {
	op     op
	viewer *Viewer
	group  *group // opEnd
	deny   flags  // opReceive
	off    uint64 // opEnd: the end of the broadcast in the log
	reason Reason // opEnd, opGone
	err    error  // opGone
}

// post hands mail to the pump. It reports false if the pump has stopped.
func (p *pump) post(m mail) bool {
	p.mu.Lock()
	ok := !p.stopped
	if ok {
		p.mail = append(p.mail, m)
		if m.op == opEnd {
			p.ends.Add(1)
		}
	}
	p.mu.Unlock()
	if ok {
		p.notify()
	}
	return ok
}

func (p *pump) hasMail() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mail) > 0
}

// readMail does what was asked. It reports true when the pump is to stop.
func (p *pump) readMail(now time.Duration) (stop bool) {
	p.mu.Lock()
	list := p.mail
	p.mail, p.spare = p.spare[:0], nil
	p.ends.Store(0)
	p.mu.Unlock()
	for i := range list {
		stop = p.do(&list[i], now) || stop
	}
	clear(list)
	p.spare = list
	if stop {
		p.stop()
	}
	return stop
}

func (p *pump) do(m *mail, now time.Duration) (stop bool) {
	v := m.viewer
	if m.op == opGone {
		v.leave(m.reason, m.err)
		return false
	}
	if v != nil && v.gone.Load() {
		return false
	}
	if v != nil {
		p.unlane(v)
	}
	switch m.op {
	case opJoin:
		v.r.entered = stampOf(now)
		p.add(v)
		v.serve(now, noLimit)
	case opServe:
		if v.blockedAt < 0 {
			v.serve(now, noLimit)
		}
	case opPause:
		v.paused = true
	case opResume:
		if v.paused {
			v.paused = false
			v.r.resume(stampOf(now))
			if v.blockedAt < 0 {
				v.serve(now, noLimit)
			}
		}
	case opReceive:
		v.r.needKey = v.r.needKey || v.r.deny&flagVideo != 0 && m.deny&flagVideo == 0
		v.r.deny = m.deny
	case opLeave:
		p.drop(v, ReasonLeft, nil)
	case opFinish:
		v.finish()
		if v.blockedAt < 0 {
			v.serve(now, noLimit)
		}
	case opEnd:
		p.endGroup(m, now)
	case opStop:
		return true
	}
	return false
}

// endGroup lets the viewers of a stream finish what is left of it.
func (p *pump) endGroup(m *mail, now time.Duration) {
	g := m.group
	p.dissolve(g)
	for i := 0; i < len(g.viewers); {
		v := g.viewers[i]
		if v.ending == "" {
			v.ending, v.r.limit = m.reason, m.off
		}
		if v.blockedAt >= 0 || v.serve(now, noLimit) {
			i++
		}
	}
}

// stop ends all viewers, those in the last mail too.
func (p *pump) stop() {
	p.mu.Lock()
	p.stopped = true
	list := p.mail
	p.mail = nil
	p.mu.Unlock()
	for _, m := range list {
		switch m.op {
		case opJoin:
			p.add(m.viewer)
		case opGone:
			m.viewer.leave(m.reason, m.err)
		}
	}
	for g := range p.groups {
		p.dissolve(g)
		for len(g.viewers) > 0 {
			v := g.viewers[0]
			p.drop(v, ReasonShutdown, nil)
		}
	}
}
