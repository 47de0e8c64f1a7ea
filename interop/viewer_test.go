package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// viewer is a synthetic viewer: cheap enough for twenty on a node.
type viewer struct {
	*stamp.Viewer
	leave context.CancelFunc
	done  chan struct{}
	err   error // after done: why the server ended it, or nil

	mu   sync.Mutex
	tags []tag // what came, as a recording would hold it; payloads cut short
}

// watch starts a viewer that stays until leave is called or the test ends.
func watch(t *testing.T, g target) *viewer {
	t.Helper()
	v := &viewer{done: make(chan struct{})}
	var err error
	v.Viewer, err = stamp.NewViewer(stamp.ViewOptions{URL: g.url(), Observe: v.observe})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	v.leave = cancel
	go func() {
		v.err = v.Run(ctx)
		close(v.done)
	}()
	t.Cleanup(func() {
		cancel()
		<-v.done
	})
	return v
}

// keptPayload is enough of a message to know its kind.
const keptPayload = 8 // bytes

func (v *viewer) observe(m *rtmp.Message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tags = append(v.tags, tag{byte(m.Type), m.Timestamp, bytes.Clone(m.Payload[:min(len(m.Payload), keptPayload)])})
}

// received returns what has come so far.
func (v *viewer) received() []tag {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tags[:len(v.tags):len(v.tags)]
}

// watching is the condition that the server has not ended the session.
func (v *viewer) watching() error {
	select {
	case <-v.done:
		return fmt.Errorf("the viewer's session has ended: %w", v.err)
	default:
		return nil
	}
}

// has is the condition that the viewer has so much media.
func (v *viewer) has(ms float64) func() error {
	return func() error {
		if err := v.watching(); err != nil {
			return err
		}
		if got := span(v.received()); got < ms {
			return fmt.Errorf("%.0f ms of media, want %.0f", got, ms)
		}
		return nil
	}
}

// publishStamped publishes a synthetic stream until the test ends or stop is called,
// and fails the test if the server ends it before. It returns when the server has
// accepted it.
func publishStamped(t *testing.T, g target, epoch uint64) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	accepted := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- stamp.Publish(ctx, stamp.PublishOptions{
			URL:      g.url(),
			Feed:     stamp.NewSource(g.app+"/"+g.name, epoch, stamp.Shape{VideoBitrate: 500_000}),
			Accepted: func() { close(accepted) },
		})
	}()
	select {
	case <-accepted:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("publisher of %s: %v", g.url(), err)
		}
	})
	t.Cleanup(stop)
	return stop
}
