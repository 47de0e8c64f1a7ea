package faults_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"weir/internal/bench/stamp"
)

// shape is what publishers send: a key frame every second.
var shape = stamp.Shape{VideoBitrate: 300_000, AudioBitrate: 64_000, GOP: time.Second}

// publisher sends one stream, and may come back when it is closed.
type publisher struct {
	s    *story
	name string

	mu     sync.Mutex
	at     []*node // where it goes, in turn
	again  time.Duration
	caps   bool     // announces that it follows reconnect requests
	moved  []string // where it was told to go
	closed int      // sessions that ended and were not ended by the test
	epoch  uint64   // of its present run
	live   bool     // accepted and not closed
	cancel context.CancelFunc
	done   chan struct{}
}

// publish starts a publisher that stays until the test ends, and returns when it is on
// air. If a session of it is closed it does not come back.
func (s *story) publish(at *node, name string) *publisher {
	s.t.Helper()
	return s.publishAgain(0, name, at)
}

// publishAgain is a publisher that comes back so long after it was closed, at the
// next of the nodes.
func (s *story) publishAgain(after time.Duration, name string, at ...*node) *publisher {
	s.t.Helper()
	return s.begin(&publisher{s: s, name: name, at: at, again: after})
}

// publishMoving is a publisher that follows reconnect requests.
func (s *story) publishMoving(at *node, name string) *publisher {
	s.t.Helper()
	return s.begin(&publisher{s: s, name: name, at: []*node{at}, caps: true})
}

func (s *story) begin(p *publisher) *publisher {
	s.t.Helper()
	p.start()
	s.t.Cleanup(p.leave)
	s.eventually(15*time.Second, p.name+" is on air", p.onAir)
	return p
}

func (p *publisher) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.mu.Lock()
	p.cancel, p.done = cancel, make(chan struct{})
	done := p.done
	p.mu.Unlock()
	go func() {
		defer close(done)
		for {
			err := p.session(ctx)
			if ctx.Err() != nil {
				return
			}
			p.mu.Lock()
			p.closed++
			p.live = false
			p.at = append(p.at[1:len(p.at):len(p.at)], p.at[0])
			p.mu.Unlock()
			p.s.note("publisher of %s was closed: %v", p.name, err)
			if p.again == 0 {
				return
			}
			t := time.NewTimer(p.again)
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
		}
	}()
}

func (p *publisher) session(ctx context.Context) error {
	p.mu.Lock()
	p.epoch++
	epoch, at := p.epoch, p.at[0]
	p.mu.Unlock()
	return stamp.Publish(ctx, stamp.PublishOptions{
		URL:        at.url(p.name),
		Feed:       stamp.NewSource(app+"/"+p.name, epoch, shape),
		Reconnects: p.caps,
		Moved: func(tcURL string) {
			p.mu.Lock()
			p.moved = append(p.moved, tcURL)
			p.mu.Unlock()
			p.s.note("publisher of %s is asked to move to %q", p.name, tcURL)
		},
		Accepted: func() {
			p.mu.Lock()
			p.live = true
			p.mu.Unlock()
			p.s.note("publisher of %s is on air at %s, run %d", p.name, at.name, epoch)
		},
	})
}

// leave ends the publisher in good order.
func (p *publisher) leave() {
	p.mu.Lock()
	cancel, done := p.cancel, p.done
	p.live = false
	p.mu.Unlock()
	cancel()
	<-done
}

// comeBack starts a publisher that has left, elsewhere if so asked.
func (p *publisher) comeBack(at ...*node) {
	p.s.t.Helper()
	if len(at) > 0 {
		p.at = at
	}
	p.start()
}

// closes is how many of its sessions somebody else has ended.
func (p *publisher) closes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// onAir is the condition that the publisher has been accepted.
func (p *publisher) onAir() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live {
		return errors.New("it is not on air")
	}
	return nil
}

// closes is the sum over publishers.
func closes(all ...*publisher) (n int) {
	for _, p := range all {
		n += p.closes()
	}
	return n
}

// several starts publishers of name0, name1 ….
func (s *story) several(n int, name string, at ...*node) []*publisher {
	s.t.Helper()
	var all []*publisher
	for i := range n {
		all = append(all, s.publish(at[i%len(at)], fmt.Sprint(name, i)))
	}
	return all
}
