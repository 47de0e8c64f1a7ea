package front

import (
	"sync"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// spliced is a publisher that is joined to its server in the kernel: what is
// left to do is to hold its claim. Its splicer says since when it is silent, if it has
// a Silence method.
type spliced struct {
	session.Publisher
	c    *carried
	once sync.Once
	over chan struct{}
}

func newSpliced(c *carried, pub session.Publisher) *spliced {
	s := &spliced{Publisher: pub, c: c, over: make(chan struct{})}
	close(c.done) // nothing here can move it
	if q, ok := pub.(interface{ Silence() time.Duration }); ok {
		c.f.mu.Lock()
		c.quiet = q.Silence
		c.f.mu.Unlock()
	}
	if lost := c.lost(); lost != nil {
		go func() {
			select {
			case <-lost:
				c.p.Evict(rtmp.CodePublishBadName, event.TakenOver, errTaken)
			case <-s.over:
			}
		}()
	}
	return s
}

// Close is session.Publisher.
func (s *spliced) Close() {
	s.once.Do(func() {
		close(s.over)
		s.Publisher.Close()
		s.c.leave()
	})
}
