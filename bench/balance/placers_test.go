package main

import (
	"testing"
)

// What placers are given adds up to what the trace sends.
func TestTheIdealCarriesTheWholeTrace(t *testing.T) {
	tr := example(3)
	visits := tr.draw()
	var want float64
	for _, v := range visits {
		want += v.BitrateBPS / 8 * (min(v.To, tr.Length) - v.From).Seconds()
	}
	for _, p := range placers() {
		all := ideal(p, visits, []float64{1, 1, 2}, tr.Length)
		var got float64
		for _, b := range all[len(all)-1].Bytes {
			got += b
		}
		if got < 0.9999*want || got > 1.0001*want || len(all) != 91 {
			t.Errorf("%s: %.0f bytes in %d samples, want %.0f", p.name, got, len(all), want)
		}
	}
}

func TestPlacersChoose(t *testing.T) {
	there := []carried{{1, 5, 1}, {1, 2, 6}, {2, 8, 4}}
	for i, want := range []struct {
		bitrate float64
		server  int
	}{{9, 2}, {9, 1}, {9, 0}} {
		if got := placers()[i].choose(there, want.bitrate, 1); got != want.server {
			t.Errorf("%s: server %d, want %d", placers()[i].name, got, want.server)
		}
	}
}
