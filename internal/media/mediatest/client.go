package mediatest

import (
	"context"
	"net"

	"weir/internal/bench/stamp"
	"weir/internal/stream"
	"weir/rtmp"
)

// Shape is a small stream: a picture every 40 ms, a key frame a second, sound.
var Shape = stamp.Shape{VideoBitrate: 200_000, FrameRate: 25, GOP: 1e9, AudioBitrate: 16_000}

// Run is something that goes on until it is stopped.
type Run struct {
	stop context.CancelFunc
	done chan struct{}
	err  error
}

func (w *World) run(f func(context.Context) error) *Run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = f(ctx)
	}()
	w.Cleanup(func() { r.Stop() })
	return r
}

// Stop ends it in good order and returns how it ended.
func (r *Run) Stop() error {
	r.stop()
	<-r.done
	return r.err
}

// Done is closed when it has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Ended reports whether it has ended by itself, and how.
func (r *Run) Ended() (bool, error) {
	select {
	case <-r.done:
		return true, r.err
	default:
		return false, nil
	}
}

func (w *World) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	return w.Net.Dial(ctx, addr)
}

// Publish publishes stamped frames at a node; epoch orders the runs of a
// publisher.
func (w *World) Publish(n *Node, name stream.Name, epoch uint64) *Run {
	return w.run(func(ctx context.Context) error {
		return stamp.Publish(ctx, stamp.PublishOptions{URL: n.URL(name), Dial: w.dial, Feed: stamp.NewSource(name.String(), epoch, w.Shape)})
	})
}

// Viewer is a viewer that counts.
type Viewer struct {
	*Run
	*stamp.Viewer
}

// View plays a stream at a node. observe may be nil.
func (w *World) View(n *Node, name stream.Name, observe func(*rtmp.Message)) *Viewer {
	w.Helper()
	v, err := stamp.NewViewer(stamp.ViewOptions{URL: n.URL(name), Dial: w.dial, Observe: observe})
	if err != nil {
		w.Fatal(err)
	}
	return &Viewer{w.run(v.Run), v}
}
