package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// The history of claims and releases of one stream must be one of a
// register that holds one epoch, where each claim raises the epoch.
type claimInput struct {
	release bool
	epoch   stream.Epoch // to release
}

type claimOutput struct {
	ok    bool
	epoch stream.Epoch // claimed, or the owner's if busy
}

type claimState struct {
	held        bool
	epoch, high stream.Epoch
}

var claimModel = porcupine.Model{
	Init: func() any { return claimState{} },
	Step: func(state, in, out any) (bool, any) {
		s, i, o := state.(claimState), in.(claimInput), out.(claimOutput)
		switch {
		case i.release:
			return s.held && s.epoch == i.epoch, claimState{high: s.high}
		case o.ok:
			return !s.held && s.high.Less(o.epoch), claimState{held: true, epoch: o.epoch, high: o.epoch}
		default:
			return s.held && s.epoch == o.epoch, s
		}
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v → %+v", in, out) },
}

func TestP1ClaimsAreLinearizable(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	record := func(client int, in claimInput, call func() claimOutput) claimOutput {
		at := time.Since(start)
		out := call()
		mu.Lock()
		defer mu.Unlock()
		history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: int64(at), Output: out, Return: int64(time.Since(start))})
		return out
	}
	var wg sync.WaitGroup
	for client := range 4 {
		c := join(t, m.Client(), fmt.Sprint("n", client))
		rng := rand.New(rand.NewPCG(7, uint64(client)))
		wg.Go(func() {
			for range 60 {
				var own *cluster.Ownership
				out := record(client, claimInput{}, func() claimOutput {
					o, err := c.Claim(t.Context(), alice, cluster.Facts{})
					if busy, ok := err.(*cluster.BusyError); ok {
						return claimOutput{epoch: busy.Epoch}
					}
					own = o
					return claimOutput{ok: true, epoch: o.Epoch()}
				})
				for range rng.IntN(3) {
					c.Owner(t.Context(), alice)
				}
				if out.ok {
					record(client, claimInput{release: true, epoch: out.epoch}, func() claimOutput {
						if err := own.Release(t.Context()); err != nil {
							t.Error(err)
						}
						return claimOutput{ok: true}
					})
				}
			}
		})
	}
	wg.Wait()
	if r := porcupine.CheckOperationsTimeout(claimModel, history, 20*time.Second); r != porcupine.Ok {
		t.Fatalf("%d operations: %v", len(history), r)
	}
}
