package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Options of a demo.
type Options struct {
	// For ends the demo by itself; 0 runs until the context ends.
	For time.Duration
	// Exe is the weir binary that the nodes are processes of.
	Exe string
	// Out gets the card.
	Out io.Writer
}

const (
	// startTimeout is how long a node may take to say that it is ready.
	startTimeout = 20 * time.Second
	// firstPicture is how long after the start media must come out of every end.
	firstPicture = 10 * time.Second
)

// Run runs the demo until ctx ends (which is a good end), Options.For has
// passed, or something breaks.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "weir-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := &cluster{exe: o.Exe, dir: dir, failed: make(chan error, 16)}
	defer c.stop()
	fmt.Fprintln(o.Out, "Starting one front, two origins and two edges …")
	if err := c.start(ctx); err != nil {
		return stopped(ctx, err)
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	broken := make(chan error, 8)
	wg.Go(func() {
		if err := publish(ctx, c.front.rtmp, streamPath); err != nil && ctx.Err() == nil {
			broken <- fmt.Errorf("publishing to the front: %w", err)
		}
	})
	probes := []*probe{{where: "front", addr: c.front.rtmp}, {where: "edge-1", addr: c.edges[0].rtmp}, {where: "edge-2", addr: c.edges[1].rtmp}}
	for _, p := range probes {
		wg.Go(func() { p.run(ctx) })
	}
	began := time.Now()
	if err := await(ctx, probes, began, broken, c.failed); err != nil {
		return stopped(ctx, err)
	}
	card(o.Out, c, time.Since(began))

	var over <-chan time.Time
	if o.For > 0 {
		over = time.After(o.For)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			return report(o.Out, probes)
		case err := <-broken:
			return stopped(ctx, err)
		case err := <-c.failed:
			return stopped(ctx, err)
		case <-tick.C:
			if o.For == 0 {
				continue // a person is looking, and may be trying out what happens
			}
			if err := alive(probes); err != nil {
				return err
			}
		}
	}
}

// stopped is nil when err only says that the demo was told to end.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// await returns when media has come out of every end.
func await(ctx context.Context, probes []*probe, began time.Time, broken, failed <-chan error) error {
	limit := time.NewTimer(firstPicture)
	defer limit.Stop()
	for _, p := range probes {
		p.init()
	}
	for _, p := range probes {
		select {
		case <-p.flowing:
		case err := <-broken:
			return err
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("no picture from %s (rtmp://%s/%s) within %v: %w", p.where, p.addr, streamPath, firstPicture, p.lastErr())
		}
	}
	return nil
}

// alive fails when an end of the chain has fallen silent.
func alive(probes []*probe) error {
	var errs []error
	for _, p := range probes {
		if quiet := p.quiet(); quiet > 5*time.Second {
			errs = append(errs, fmt.Errorf("%s has carried nothing for %v: %w", p.where, quiet.Round(time.Second), p.lastErr()))
		}
	}
	return errors.Join(errs...)
}

// report sums the run up and fails if something in the chain did not carry
// media to the end.
func report(w io.Writer, probes []*probe) error {
	if err := alive(probes); err != nil {
		return err
	}
	for _, p := range probes {
		frames, keys := p.counts()
		fmt.Fprintf(w, "%-7s carried %d frames, %d of them key frames\n", p.where, frames, keys)
	}
	return nil
}
