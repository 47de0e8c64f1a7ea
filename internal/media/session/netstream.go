package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// netStream is one NetStream that publishes or plays.
type netStream struct {
	id        uint32
	publisher Publisher // set before the stream is registered; nil for a play
	cancel    context.CancelFunc

	noAudio, noVideo bool // what the client does not want; the reader's own

	mu     sync.Mutex
	player Player // set when the play has started
	closed bool
}

// close ends what the stream does.
func (st *netStream) close() {
	st.mu.Lock()
	st.closed = true
	player := st.player
	st.mu.Unlock()
	if st.cancel != nil {
		st.cancel()
	}
	if st.publisher != nil {
		st.publisher.Close()
	}
	if player != nil {
		player.Leave()
	}
}

func (c *conn) stream(id uint32) *netStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

func (c *conn) player(id uint32, f func(Player)) {
	if st := c.stream(id); st != nil {
		st.mu.Lock()
		p := st.player
		st.mu.Unlock()
		if p != nil {
			f(p)
		}
	}
}

// receive notes which kinds the client wants and tells the player.
func (c *conn) receive(id uint32, note func(*netStream)) {
	if st := c.stream(id); st != nil {
		note(st)
		c.player(id, func(p Player) { p.Receive(!st.noAudio, !st.noVideo) })
	}
}

// add registers a NetStream; false when the session is ending.
func (c *conn) add(st *netStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams == nil {
		return false
	}
	c.streams[st.id] = st
	return true
}

// drop removes a NetStream, unless another has taken its id meanwhile, and
// reports whether it was there and whether others are left.
func (c *conn) drop(st *netStream) (was, others bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was = c.streams[st.id] == st; was {
		delete(c.streams, st.id)
	}
	return was, len(c.streams) > 0
}

// publish asks the handler and answers the client.
func (c *conn) publish(req *rtmp.PublishRequest) error {
	p := &Publish{Client: c.clientFor(event.RolePublisher)}
	name, err := c.name(req.Name)
	if err != nil {
		return c.rejectPublish(req, &Rejection{rtmp.CodePublishBadName, err.Error(), event.BadName, nil})
	}
	p.Name, p.App, p.Stream = name, name.App, name.Stream
	p.Facts.Query = join(c.client.Connect.Query, req.Query)
	if c.client.Member != "" {
		if extra, ok := member.ParsePublishExtra(req.Args); ok {
			p.Extra = extra
			c.speakFor(&p.Client, extra.Client)
		}
	}
	st := &netStream{id: req.StreamID}
	p.Evict = func(code string, reason event.Reason, err error) { c.evict(st, code, reason, err) }
	st.publisher, err = c.s.o.Handler.Publish(c.ctx, p)
	if err != nil {
		return c.rejectPublish(req, rejection(err, rtmp.CodePublishRejected))
	}
	if !c.add(st) {
		st.close()
		return nil
	}
	c.became(p.Client)
	c.rtmp.SetMaxMessage(0) // authorized: the full limit
	c.nc.SetReadDeadline(time.Time{})
	return c.rtmp.AcceptPublish(req, nil)
}

// rejectPublish tells the client, and ends the session if it has nothing else.
func (c *conn) rejectPublish(req *rtmp.PublishRequest, r *Rejection) error {
	if err := c.rtmp.RejectPublish(req, r.Code, r.Description); err != nil {
		return err
	}
	return c.refused(r, event.RolePublisher, req.Name)
}

// refused ends the session of a client that was told no and has nothing else
// running. Members keep their connection: it carries other streams.
func (c *conn) refused(r *Rejection, role event.Role, name string) error {
	s := c.client.Session
	s.Role, s.Stream = role, name
	c.s.o.Emit.Emit(event.Refused{Session: s, Reason: r.Reason, Err: r.Err})
	c.mu.Lock()
	alone := len(c.streams) == 0
	c.mu.Unlock()
	if c.client.Member == "" && alone {
		c.client.Role = role
		c.stop(r.Reason, event.ByServer, r.Err)
	}
	return nil
}

// publishFailed ends a NetStream whose publisher refused a message. An eviction
// has told the client already.
func (c *conn) publishFailed(st *netStream, err error) error {
	var r *Rejection
	if !errors.As(err, &r) {
		return &ended{event.InternalFault, err}
	}
	c.evict(st, r.Code, r.Reason, r.Err)
	return nil
}

// evict ends a publishing NetStream from outside the reader.
func (c *conn) evict(st *netStream, code string, reason event.Reason, err error) {
	was, others := c.drop(st)
	if !was {
		return // not registered yet, or gone
	}
	c.rtmp.Status(st.id, rtmp.LevelError, code, "The publication was ended: "+string(reason), nil)
	st.close()
	if !others {
		c.stop(reason, event.ByServer, err)
	}
}

// play starts the play on a goroutine of its own: the stream may have to be
// fetched, or waited for, and the client must be heard meanwhile.
func (c *conn) play(req *rtmp.PlayRequest) error {
	p := &Play{Client: c.clientFor(event.RoleViewer), Request: req, Conn: c.rtmp}
	name, err := c.name(req.Name)
	if err != nil {
		return c.rejectPlay(req, &Rejection{rtmp.CodePlayStreamNotFound, err.Error(), event.BadName, nil})
	}
	p.Name, p.App, p.Stream = name, name.App, name.Stream
	p.Facts.Query = join(c.client.Connect.Query, req.Query)
	if c.client.Member != "" {
		if extra, ok := member.ParsePlayExtra(req.Args); ok {
			p.Extra = extra
			if extra.Feed {
				p.Role = event.RoleFeed
			} else {
				c.speakFor(&p.Client, extra.Client)
			}
		}
	}
	p.Alone = !c.used && !p.Extra.Feed
	if old := c.stream(req.StreamID); old != nil {
		// play2 on a running play: what played there ends first.
		c.drop(old)
		old.close()
	}
	ctx, cancel := context.WithCancel(c.ctx)
	st := &netStream{id: req.StreamID, cancel: cancel}
	if !c.add(st) {
		cancel()
		return nil
	}
	p.Ended = func(reason event.Reason, by event.Side, err error) { c.playEnded(st, reason, by, err) }
	c.became(p.Client)
	c.nc.SetReadDeadline(time.Time{})
	c.pending.Go(func() {
		player, err := c.s.o.Handler.Play(ctx, p)
		if err != nil {
			if was, _ := c.drop(st); was {
				c.rejectPlay(req, rejection(err, rtmp.CodePlayFailed))
			}
			cancel()
			return
		}
		st.mu.Lock()
		st.player = player
		closed := st.closed
		st.mu.Unlock()
		if closed {
			player.Leave()
		}
	})
	return nil
}

func (c *conn) rejectPlay(req *rtmp.PlayRequest, r *Rejection) error {
	if err := c.rtmp.RejectPlay(req, r.Code, r.Description); err != nil {
		return err
	}
	return c.refused(r, event.RoleViewer, req.Name)
}

// playEnded ends a NetStream whose play ended by our side, and the session of a
// client that has nothing else.
func (c *conn) playEnded(st *netStream, reason event.Reason, by event.Side, err error) {
	was, others := c.drop(st)
	if !was {
		return
	}
	if !others && c.client.Member == "" {
		c.stop(reason, by, err)
	}
	// On a goroutine of its own: the player waits for whoever calls this.
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams == nil {
		go st.close() // the session is past waiting for it
		return
	}
	c.pending.Go(st.close)
}

// closeStream ends a NetStream at the client's wish.
func (c *conn) closeStream(id uint32) {
	st := c.stream(id)
	if st == nil {
		return
	}
	was, others := c.drop(st)
	if !was {
		return
	}
	st.close()
	if !others && c.client.Member == "" {
		c.nc.SetReadDeadline(time.Now().Add(c.s.o.Command))
	}
}
