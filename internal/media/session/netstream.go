package session

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// netStream is one NetStream that publishes or plays.
type netStream struct {
	id        uint32
	client    Client // for whom
	name      stream.Name
	elsewhere atomic.Bool   // carried to another server; see Publish.Elsewhere
	publisher Publisher     // set before the stream is registered; nil for a play
	prompt    bool          // its messages must not wait for a collector; set with publisher
	patience  time.Duration // how long they may wait for it, if it is longer than collectEvery; set with publisher

	evicted *Rejection // before the stream was registered; guarded by conn.mu

	mu               sync.Mutex
	cancel           context.CancelFunc // of a play that is starting
	player           Player             // set when the play has started
	closed           bool
	paused           bool
	noAudio, noVideo bool // what the client does not want
}

// close ends what the stream does.
func (st *netStream) close() {
	st.mu.Lock()
	st.closed = true
	player := st.player
	st.mu.Unlock()
	st.giveUp()
	if st.publisher != nil {
		st.publisher.Close()
	}
	if player != nil {
		player.Leave()
	}
}

// giveUp ends the wait for a play to start, or tidies up after it.
func (st *netStream) giveUp() {
	st.mu.Lock()
	cancel := st.cancel
	st.cancel = nil
	st.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (c *conn) stream(id uint32) *netStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams.of(id)
}

// control notes what the client wants of a play and tells the player, which may
// not have started yet.
func (c *conn) control(id uint32, note func(*netStream), tell func(*netStream, Player)) {
	st := c.stream(id)
	if st == nil {
		return
	}
	st.mu.Lock()
	note(st)
	p := st.player
	st.mu.Unlock()
	if p != nil {
		tell(st, p)
	}
}

func (c *conn) pause(id uint32, on bool) {
	c.control(id, func(st *netStream) { st.paused = on }, func(_ *netStream, p Player) { p.Pause(on) })
}

func (c *conn) receive(id uint32, note func(*netStream)) {
	c.control(id, note, func(st *netStream, p Player) { p.Receive(!st.noAudio, !st.noVideo) })
}

// started gives the stream its player, and the player what the client has wished
// meanwhile; false when the stream has been closed already.
func (st *netStream) started(p Player) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return false
	}
	st.player = p
	if st.noAudio || st.noVideo {
		p.Receive(!st.noAudio, !st.noVideo)
	}
	if st.paused {
		p.Pause(true)
	}
	return true
}

// add registers a NetStream; false when the session is ending, or when the stream
// was evicted before it was known.
func (c *conn) add(st *netStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut || st.evicted != nil {
		return false
	}
	c.streams.add(st)
	return true
}

func (c *conn) evictedEarly(st *netStream) *Rejection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return st.evicted
}

// drop removes a NetStream, unless another has taken its id meanwhile, and
// reports whether it was there and whether others are left.
func (c *conn) drop(st *netStream) (was, others bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was = c.streams.drop(st)
	return was, c.streams.count() > 0
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
	c.became(p.Client)
	if c.taken() {
		return errTaken
	}
	c.rtmp.SetMaxMessage(0) // authorized: the full limit
	c.readBy(time.Time{})
	return c.rtmp.AcceptPublish(req, nil)
}

// rejectPublish tells the client, and ends the session if it has nothing else.
func (c *conn) rejectPublish(req *rtmp.PublishRequest, p *Publish, r *Rejection) error {
	if err := c.rtmp.RejectPublish(req, r.Code, r.Description); err != nil {
		return err
	}
	return c.refused(&p.Client, req.Name, r)
}

// refused ends the session of a client that was told no and has nothing else
// running. Members keep their connection: it carries other streams. Any goroutine.
func (c *conn) refused(cl *Client, name string, r *Rejection) error {
	s := cl.Session
	if s.Stream == "" { // it is no stream's name: what stands for a query in it is not for the log
		s.Stream, _ = cutQuery(name)
	}
	c.s.o.Emit.Emit(event.Refused{Session: s, Reason: r.Reason, Err: r})
	c.mu.Lock()
	alone := c.streams.count() == 0
	c.mu.Unlock()
	if cl.Member == "" && alone {
		c.stop(ending{r.Reason, event.ByServer, r.Err, cl.Role})
	}
	return nil
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
	others := c.streams.count() > 0
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
	c.became(p.Client)
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
	if err := p.Conn.RejectPlay(req, r.Code, r.Description); err != nil {
		return err
	}
	return c.refused(&p.Client, req.Name, r)
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
		c.readBy(time.Now().Add(c.s.o.Command))
	}
}
