package session

import (
	"time"

	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/rtmp"
)

func (c *conn) evictedEarly(st *netStream) *Rejection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return st.evicted
}

// publish asks the handler and answers the client.
func (c *conn) publish(req *rtmp.PublishRequest) error {
	p := &Publish{Client: c.clientFor(event.RolePublisher), Request: req, c: c}
	name, err := c.name(req.Name)
	if err != nil {
		return c.rejectPublish(req, p, &Rejection{rtmp.CodePublishBadName, err.Error(), event.BadName, nil})
	}
	p.Name, p.App, p.Stream = name, name.App, name.Stream
	p.Facts.Query = c.query(req.Name, req.Query)
	if c.client.Member != "" {
		if extra, ok := member.ParsePublishExtra(req.Args); ok {
			p.Extra = extra
			c.speakFor(&p.Client, extra.Client)
		}
	}
	st := &netStream{id: req.StreamID, client: p.Client, name: name}
	p.st = st
	p.Evict = func(code string, reason event.Reason, err error) { c.evict(st, code, reason, err) }
	defer c.s.open(c, st)()
	c.asks(true)
	defer c.asks(false)
	st.publisher, err = c.s.o.Handler.Publish(c.ctx, p)
	c.forgetWords()
	if err != nil {
		if c.taken() {
			return errTaken
		}
		if c.ending() {
			return nil
		}
		return c.rejectPublish(req, p, rejection(err, rtmp.CodePublishRejected))
	}
	if p, ok := st.publisher.(interface{ Prompt() bool }); ok {
		st.prompt = p.Prompt()
	}
	if p, ok := st.publisher.(interface{ Patience() time.Duration }); ok {
		st.patience = p.Patience()
	}
	if !c.add(st) {
		st.close()
		if c.taken() {
			return errTaken
		}
		if r := c.evictedEarly(st); r != nil {
			return c.rejectPublish(req, p, r)
		}
		return nil
	}
	if c.taken() {
		return errTaken
	}
	c.rtmp.SetMaxMessage(0) // authorized: the full limit
	c.readBy(time.Time{})
	return c.rtmp.AcceptPublish(req, nil)
}

// rejectPublish tells the client, and ends the session if it has nothing else.
func (c *conn) rejectPublish(req *rtmp.PublishRequest, p *Publish, r *Rejection) error {
	return c.refuse(&p.Client, req.Name, r, func() error { return c.rtmp.RejectPublish(req, r.Code, r.Description) })
}

// publishFailed ends a NetStream whose publisher refused a message, and that
// alone. If it was evicted the client knows already.
func (c *conn) publishFailed(st *netStream, err error) {
	r := rejection(err, rtmp.CodePublishRejected)
	c.evict(st, r.Code, r.Reason, r.Err)
}

// evict ends a publishing NetStream from outside the reader.
func (c *conn) evict(st *netStream, code string, reason event.Reason, err error) {
	const text = "The publication was ended: "
	c.mu.Lock()
	was := c.streams.drop(st)
	if !was {
		// If it is about to be registered, it must not be. If it is gone, nobody reads this.
		st.evicted = &Rejection{code, text + string(reason), reason, err}
	}
	others := c.busyLocked()
	c.mu.Unlock()
	if !was {
		return
	}
	c.wire.Load().Status(st.id, rtmp.LevelError, code, text+string(reason), nil)
	// Before the publisher hears of it: one that has taken the connection ends it then, and
	// knows no reason.
	hangsUp := !others && c.ends(ending{reason: reason, by: event.ByServer, err: err})
	st.close()
	if hangsUp {
		c.hangUp()
	}
}
