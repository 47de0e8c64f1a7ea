package relay

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"weir/amf"
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/stream"
	"weir/rtmp"
)

// ErrNoStream: the asked node does not have the stream.
var ErrNoStream = errors.New("relay: no such stream there")

// errForged: the epoch that the owner states is not one that it can have.
var errForged = errors.New("relay: the feed's epoch is not believed")

// errFeedEnded: the owner said that its publisher has left.
var errFeedEnded = errors.New("relay: the publisher left")

// feed is one stream coming in over a peerConn. Its methods status and message
// are called by the connection's reader, close and end by anybody.
type feed struct {
	id     uint32
	stream *live.Stream
	from   live.Position // up to where it is not needed
	// believe checks the epoch that the owner states; it may be asked by the connection's
	// reader, so it must be quick.
	believe func(stream.Epoch) error

	mu     sync.Mutex
	writer *live.Writer     // set by status
	facts  member.FeedFacts // set with writer
	closed bool

	last  atomic.Int64 // arrival of the newest message, unix nanoseconds
	bytes atomic.Int64 // payload bytes

	started chan struct{} // closed when the writer is attached
	once    sync.Once
	err     error // set before ended is closed
	ended   chan struct{}
}

func newFeed(s *live.Stream, from live.Position, believe func(stream.Epoch) error) *feed {
	return &feed{stream: s, from: from, believe: believe, started: make(chan struct{}), ended: make(chan struct{})}
}

// status handles the owner's answers.
func (f *feed) status(s *rtmp.Status) {
	switch s.Code {
	case rtmp.CodePlayStart:
		if err := f.attach(s.Info); err != nil {
			f.end(err)
		}
	case member.CodeClock:
		f.clock(member.ParseClock(s.Info))
	case rtmp.CodePlayStreamNotFound:
		f.end(ErrNoStream)
	case rtmp.CodePlayUnpublishNotify, rtmp.CodePlayComplete, rtmp.CodePlayStop:
		f.end(errFeedEnded)
	case rtmp.CodePlayFailed:
		f.end(fmt.Errorf("the owner refused: %s", s.Description))
	}
}

// attach makes the feed the stream's source, under the epoch that the owner
// states.
func (f *feed) attach(info amf.Object) error {
	facts, err := member.ParseFeedFacts(info)
	if err != nil {
		return fmt.Errorf("feed without an epoch: %w", err)
	}
	if f.settled() {
		return nil
	}
	if err := f.believe(facts.Epoch); err != nil {
		return fmt.Errorf("%w: %w", errForged, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	w, err := f.stream.Attach(live.Source{Epoch: facts.Epoch})
	if err != nil {
		return err
	}
	f.writer, f.facts = w, facts
	f.last.Store(time.Now().UnixNano())
	close(f.started)
	return nil
}

// settled reports whether the feed has its source, or wants none any more. The lock is not held while the store is
// asked: close waits for it.
func (f *feed) settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writer != nil || f.closed
}

// clock notes on which clock the owner's next frames are.
func (f *feed) clock(base string, shift uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writer != nil && !f.closed {
		f.writer.SetClock(live.Clock{Base: base, Shift: shift})
	}
}

// message appends one message to the stream. Media before the owner's Start is
// dropped: nothing says under which epoch it comes.
func (f *feed) message(m *rtmp.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writer == nil || f.closed {
		return
	}
	f.last.Store(time.Now().UnixNano())
	f.bytes.Add(int64(len(m.Payload)))
	if err := f.writer.WriteRun(m.Type, m.Timestamp, m.Payload, m.More); errors.Is(err, live.ErrFenced) {
		f.end(err)
	}
}

// close detaches the feed from its stream: nothing is written afterwards.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.writer != nil {
		f.writer.Close()
	}
}

// end marks the feed as over, once; any goroutine.
func (f *feed) end(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.ended)
	})
}
