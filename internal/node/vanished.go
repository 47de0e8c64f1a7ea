package node

import (
	"context"
	"fmt"
	"sync"

	"weir/internal/control/cluster"
	"weir/internal/stream"
)

// pullersAsked bounds how many edges are asked about a stream whose owner does not answer. Why not more: a
// stream may be at hundreds, and they have it from one another's owner. Why not fewer: some may have been cut
// off with the claimer.
const pullersAsked = 8

// vanished reports whether a stream is free whose record went without having been given back: its owner may be
// cut off from the store alone, and have its publisher still. The owner itself is asked, and if it does not
// answer, those who pull the stream. A dead one costs ownerTimeout, and its edges the same again: not more
// than a silent publisher, yieldAfter.
func (r registry) vanished(ctx context.Context, busy *cluster.BusyError) (why string, ok bool) {
	addr, err := r.lastAddress(ctx, busy.Owner)
	if err == nil {
		var s silence
		if s, err = r.n.askSilence(ctx, addr, busy.Name); err == nil {
			return s.yields()
		}
	}
	if by, fed := r.pulled(ctx, busy.Name); fed {
		return by, false
	}
	return fmt.Sprintf("the owner has vanished, and nobody has the stream: %v", err), true
}

// lastAddress is where a node is that may have vanished.
func (r registry) lastAddress(ctx context.Context, name string) (string, error) {
	for _, n := range r.c.Missing() {
		if n.Name == name {
			return n.Addresses.RTMP, nil
		}
	}
	n, ok, err := r.c.FindNode(ctx, name)
	if err == nil && !ok {
		err = fmt.Errorf("no node %q is known", name)
	}
	return n.Addresses.RTMP, err
}

// pulled reports whether a stream comes in by a pull, here or elsewhere, and where.
func (r registry) pulled(ctx context.Context, name stream.Name) (node string, ok bool) {
	if s := r.n.fedHere(name); s.live() {
		return r.self, true
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	found := make(chan string, pullersAsked)
	asked := 0
	for _, edge := range r.c.Pulls(name) {
		n, known := r.c.Node(edge)
		if edge == r.self || !known || asked == pullersAsked {
			continue
		}
		asked++
		wg.Go(func() {
			if s, err := r.n.askAbout(ctx, n.Addresses.RTMP, queryFed, name); err == nil && s.live() {
				found <- edge
				cancel() // one is enough
			}
		})
	}
	wg.Wait()
	select {
	case node := <-found:
		return node, true
	default:
		return "", false
	}
}
