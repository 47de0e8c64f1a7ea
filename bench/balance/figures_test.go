package main

import (
	"math"
	"testing"
	"time"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestEvenTrafficIsOneWhateverTheCapacities(t *testing.T) {
	var all []sample
	for i := range 31 {
		at := float64(i)
		all = append(all, sample{time.Duration(i) * time.Second, []float64{at, at, 2 * at}})
	}
	f := judge(all, []float64{1, 1, 2}, 10*time.Second, 5*time.Second)
	if !near(f.P50, 1) || !near(f.Max, 1) || !near(f.Whole, 1) || f.Within != 1 || len(f.Windows) != 16 || !near(f.Shares[2], 0.5) {
		t.Errorf("%+v", f)
	}
}

// Before the warm-up nothing counts; a window counts what came in it alone.
func TestFiguresOfWindows(t *testing.T) {
	var all []sample
	a, b, c := 0.0, 0.0, 0.0
	for i := range 31 {
		// A sample is a little late now and then.
		all = append(all, sample{time.Duration(i)*time.Second + time.Duration(i%3)*20*time.Millisecond, []float64{a, b, c}})
		switch {
		case i < 10:
			a += 100
		case i < 20:
			a, b, c = a+1, b+1, c+2
		default:
			a, b, c = a+1, b+2, c+1
		}
	}
	f := judge(all, []float64{1, 1, 2}, 10*time.Second, 5*time.Second)
	// The busiest in the second half: 2 per 1 where all have 4 per 4.
	if !near(f.Windows[0], 1) || !near(f.Max, 2) || !near(f.Whole, 1.5) || len(f.Windows) != 16 {
		t.Errorf("%+v", f)
	}
	if f.Within != 6.0/16 {
		t.Errorf("within %v", f.Within)
	}
}

func TestNothingToJudge(t *testing.T) {
	if f := judge(nil, []float64{1}, 0, time.Second); f.Whole != 0 {
		t.Errorf("%+v", f)
	}
	if f := judge([]sample{{0, []float64{0}}, {time.Second, []float64{0}}}, []float64{1}, 0, time.Second); f.Whole != 0 || f.Max != 0 {
		t.Errorf("%+v", f)
	}
}
