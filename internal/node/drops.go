package node

import (
	"sync"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// drops adds up what the streams of this node drop and skip. It is told on the
// data path, which must not wait for a log line; flush says it once a second.
type drops struct {
	mu sync.Mutex
	n  map[drop]int
}

type drop struct {
	name   stream.Name
	reason live.Reason
}

// count implements live.Observer.Count.
func (d *drops) count(name stream.Name, reason live.Reason, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == nil {
		d.n = make(map[drop]int)
	}
	d.n[drop{name, reason}] += n
}

// flush emits what has been added up.
func (d *drops) flush(emit event.Sink) {
	d.mu.Lock()
	n := d.n
	d.n = nil
	d.mu.Unlock()
	for what, count := range n {
		s := event.Session{App: what.name.App, Stream: what.name.Stream}
		switch what.reason {
		case live.ReasonLagging, live.ReasonOutOfRetention:
			s.Role = event.RoleViewer
			emit.Emit(event.ViewersSkipped{Session: s, Reason: event.Reason(what.reason), Count: int64(count)})
		case live.ReasonUnpublished, live.ReasonLeft, live.ReasonStalled, live.ReasonWriteFailed, live.ReasonShutdown:
			// Ends: the session's closing line says so.
		default:
			s.Role = event.RolePublisher
			emit.Emit(event.MediaDropped{Session: s, Reason: event.Reason(what.reason), Count: int64(count)})
		}
	}
}
