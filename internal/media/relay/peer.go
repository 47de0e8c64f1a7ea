package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"weir/internal/media/member"
	"weir/internal/stream"
	"weir/rtmp"
)

// peerConn is one proven connection to a node.
type peerConn struct {
	peers *Peers
	addr  string
	conn  *rtmp.ClientConn

	// Guarded by Peers.mu.
	used      int
	idleSince time.Time

	mu    sync.Mutex
	feeds map[uint32]*feed // by message stream id; nil after fail
	err   error

	done chan struct{}
}

// read is the connection's one reader: it hands every message to its feed.
func (c *peerConn) read() {
	for {
		ev, err := c.conn.Next()
		if err != nil {
			c.fail(err)
			return
		}
		switch ev.Kind {
		case rtmp.EventMedia:
			if f := c.feed(ev.StreamID); f != nil {
				f.message(ev.Message)
			}
		case rtmp.EventStatus:
			if f := c.feed(ev.StreamID); f != nil {
				f.status(ev.Status)
			}
		}
	}
}

func (c *peerConn) feed(id uint32) *feed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.feeds[id]
}

// keepAlive closes a connection that gives no sign of life, or has no use.
func (c *peerConn) keepAlive() {
	idle := false
	err := WatchAlive(c.conn, c.done, func(now time.Time) bool {
		idle = c.idle(now)
		return idle
	})
	if err != nil || idle {
		c.fail(err)
	}
}

func (c *peerConn) idle(now time.Time) bool {
	c.peers.mu.Lock()
	defer c.peers.mu.Unlock()
	if c.used > 0 || now.Sub(c.idleSince) < PeerIdle {
		return false
	}
	c.remove()
	return true
}

// remove takes c out of the pool; Peers.mu is held.
func (c *peerConn) remove() {
	set := c.peers.byAddr[c.addr]
	if set == nil {
		return
	}
	set.conns = slices.DeleteFunc(set.conns, func(other *peerConn) bool { return other == c })
	c.peers.forget(c.addr, set)
}

// fail ends the connection and all its feeds, once.
func (c *peerConn) fail(err error) {
	c.peers.mu.Lock()
	c.remove()
	c.peers.mu.Unlock()

	c.mu.Lock()
	feeds := c.feeds
	if feeds == nil {
		c.mu.Unlock()
		return
	}
	c.feeds, c.err = nil, err
	close(c.done)
	c.mu.Unlock()
	c.conn.Close()
	c.peers.traffic.Over(c.conn)
	for _, f := range feeds {
		f.end(err)
	}
}

// open starts a feed of one stream over c.
func (c *peerConn) open(ctx context.Context, f *feed, name stream.Name) error {
	id, err := c.createStream(ctx)
	if err != nil {
		return err
	}
	f.id = id
	c.mu.Lock()
	if c.feeds == nil {
		err := c.err
		c.mu.Unlock()
		return fmt.Errorf("connection lost: %w", err)
	}
	c.feeds[id] = f
	c.mu.Unlock()
	extra := member.PlayExtra{Feed: true, Resume: f.from.Base, At: f.from.At, Hops: 1}
	return c.conn.Send(id, "play", name.String(), -2000, -1, true, extra.Object())
}

// createStream asks for a NetStream, also for one who has given up meanwhile: an
// answer that nobody hears is a NetStream that nobody gives back, and the node
// has only so many for us.
func (c *peerConn) createStream(ctx context.Context) (uint32, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), AnswerTimeout)
	defer cancel()
	id, err := c.conn.CreateStream(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		c.fail(ErrPeerSilent)
	}
	return id, err
}

// closeFeed ends one feed and gives its NetStream back.
func (c *peerConn) closeFeed(f *feed) {
	f.close()
	c.mu.Lock()
	_, open := c.feeds[f.id]
	delete(c.feeds, f.id)
	c.mu.Unlock()
	if open {
		// Not here: the pull has to go on, and this waits while the node takes nothing.
		go c.conn.DeleteStream(f.id)
	}
	c.peers.put(c)
}
