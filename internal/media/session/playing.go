package session

import (
	"context"
	"time"

	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// play notes that a play is to be started, once the client has said all that it had to
// say: see conn.starts.
func (c *conn) play(req *rtmp.PlayRequest) error {
	p := &Play{Client: c.clientFor(event.RoleViewer), Request: req, Conn: c.rtmp, c: c}
	name, err := c.name(req.Name)
	if err != nil {
		return c.rejectPlay(req, p, &Rejection{rtmp.CodePlayStreamNotFound, err.Error(), event.BadName, nil})
	}
	p.Name, p.App, p.Stream = name, name.App, name.Stream
	p.Facts.Query = c.query(req.Name, req.Query)
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
	// Not a child of the session's, which would keep a table of its children.
	ctx, cancel := context.WithCancel(context.Background())
	st := &netStream{id: req.StreamID, client: p.Client, name: name, cancel: cancel}
	if !c.add(st) {
		cancel()
		return nil
	}
	if c.ending() {
		cancel() // stop may have been before
	}
	p.st = st
	p.Ended = func(reason event.Reason, by event.Side, err error) { c.playEnded(st, reason, by, err) }
	c.readBy(time.Time{})
	c.pending.Add(1)
	c.starts = append(c.starts, func() {
		defer c.pending.Done()
		player, err := c.s.o.Handler.Play(ctx, p)
		st.giveUp()
		c.forgetWords()
		if err != nil {
			if was, _ := c.drop(st); was {
				c.rejectPlay(req, p, rejection(err, rtmp.CodePlayFailed))
			}
		} else if !st.started(player) {
			player.Leave()
		}
	})
	return nil
}

func (c *conn) rejectPlay(req *rtmp.PlayRequest, p *Play, r *Rejection) error {
	return c.refuse(&p.Client, req.Name, r, func() error { return p.Conn.RejectPlay(req, r.Code, r.Description) })
}

// playEnded ends a NetStream whose play ended by our side, and the session of a
// client that has nothing else.
func (c *conn) playEnded(st *netStream, reason event.Reason, by event.Side, err error) {
	was, others := c.drop(st)
	if !was {
		return
	}
	if !others && st.client.Member == "" {
		c.stop(ending{reason: reason, by: by, err: err})
	}
	// On a goroutine of its own: the player waits for whoever calls this.
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		go st.close() // the session is past waiting for it
		return
	}
	c.pending.Go(st.close)
}
