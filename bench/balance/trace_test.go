package main

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func example(seed uint64) *trace {
	return &trace{Seed: seed, Publishers: 40, Length: 90 * time.Second, Begin: 8 * time.Second, Life: 30 * time.Second,
		Returning: 0.5, Away: 6 * time.Second, Median: 1e6, Sigma: 0.7, Smallest: 0.3e6, Largest: 3e6}
}

func TestASeedIsATrace(t *testing.T) {
	a, b, c := example(7).draw(), example(7).draw(), example(8).draw()
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, c) {
		t.Error("the same seed gives another trace, or another seed the same")
	}
}

func TestAStreamIsInOnePlaceAndSendsWhatItSent(t *testing.T) {
	last := map[int]visit{}
	returned := 0
	for i, v := range example(1).draw() {
		if was, ok := last[v.Stream]; ok {
			returned++
			if v.From < was.To+6*time.Second || v.BitrateBPS != was.BitrateBPS || v.Run != was.Run+1 {
				t.Errorf("session %d: %+v after %+v", i, v, was)
			}
		}
		if v.BitrateBPS < 0.3e6 || v.BitrateBPS > 3e6 || v.To < v.From+shortestLife {
			t.Errorf("session %d: %+v", i, v)
		}
		last[v.Stream] = v
	}
	if returned < 20 {
		t.Errorf("%d returned", returned)
	}
}

// The mean of many traces is what was asked for, from the warm-up to the end.
func TestPublishersAtATime(t *testing.T) {
	const traces = 200
	for _, from := range []time.Duration{8 * time.Second, 15 * time.Second, 60 * time.Second} {
		var sum float64
		for seed := range uint64(traces) {
			tr := example(seed)
			tr.Length = max(90*time.Second, from)
			sum += tr.facts(tr.draw(), from).Alive
		}
		if mean := sum / traces; math.Abs(mean-40) > 1.5 {
			t.Errorf("from %s: %.1f at a time", from, mean)
		}
	}
}
