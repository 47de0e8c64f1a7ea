package node

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/media/relay"
	"weir/internal/stream"
)

const (
	// absentFor is how long a name stays absent that no origin had. Why not longer: a publisher who comes
	// meanwhile is announced by nobody. Why not shorter: each look asks every origin.
	absentFor = time.Second
	// absentMost bounds how many of them are remembered; the rest are asked for again.
	absentMost = 10_000
	// silentFor is how long an origin is not asked that did not answer in time. Why not longer: its streams
	// are not found so long after it has woken. Why not shorter: every play of an absent name waits for it.
	silentFor = 2 * time.Second
)

// inquiry asks the origins who publishes a stream, while the registry cannot say.
type inquiry struct {
	ask func(ctx context.Context, addr string, name stream.Name) (silence, error)

	mu     sync.Mutex
	absent map[stream.Name]time.Time // until when
	silent map[string]time.Time      // origins' addresses, likewise
}

func newInquiry(ask func(context.Context, string, stream.Name) (silence, error)) *inquiry {
	return &inquiry{ask: ask, absent: make(map[stream.Name]time.Time), silent: make(map[string]time.Time)}
}

// find asks those origins, within ownerTimeout. all says that they are all there are: then
// what they do not have is remembered.
func (q *inquiry) find(parent context.Context, origins []cluster.Node, name stream.Name, all bool) (relay.Source, bool) {
	if all && q.isAbsent(name) {
		return relay.Source{}, false
	}
	ctx, cancel := context.WithTimeout(parent, ownerTimeout)
	defer cancel()
	var wg sync.WaitGroup
	var unheard atomic.Bool // an origin that has not said whether it has the stream
	found := make(chan relay.Source, 1)
	for _, origin := range origins {
		addr := origin.Addresses.RTMP
		if q.isSilent(addr) {
			unheard.Store(true)
			continue
		}
		wg.Go(func() {
			s, err := q.ask(ctx, addr, name)
			if err != nil {
				unheard.Store(true)
			}
			switch {
			case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && parent.Err() == nil:
				q.noteSilent(addr)
			case err == nil && s.Publishing && s.Silent < yieldAfter:
				select {
				case found <- relay.Source{Node: origin.Name, Addr: addr}:
					cancel() // one is enough: its feed says under which epoch
				default:
				}
			}
		})
	}
	wg.Wait()
	select {
	case src := <-found:
		return src, true
	default:
	}
	if all && !unheard.Load() && parent.Err() == nil {
		q.noteAbsent(name)
	}
	return relay.Source{}, false
}

func (q *inquiry) isAbsent(name stream.Name) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Now().Before(q.absent[name])
}

func (q *inquiry) noteAbsent(name stream.Name) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.absent) >= absentMost {
		maps.DeleteFunc(q.absent, func(_ stream.Name, until time.Time) bool { return !now.Before(until) })
	}
	if len(q.absent) < absentMost {
		q.absent[name] = now.Add(absentFor)
	}
}

func (q *inquiry) isSilent(addr string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	until, noted := q.silent[addr]
	if noted && !time.Now().Before(until) {
		delete(q.silent, addr)
		return false
	}
	return noted
}

func (q *inquiry) noteSilent(addr string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.silent[addr] = time.Now().Add(silentFor)
}
