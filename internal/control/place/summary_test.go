package place

import (
	"slices"
	"testing"
)

// A summary is the whole explanation, with all but the nearest counted.
func TestSummaryIsTheExplanationCounted(t *testing.T) {
	x := index(t, Options{}, candidate("a", carrying(10)), candidate("b", carrying(30)), candidate("c", carrying(20)),
		candidate("d", state(Drain)), candidate("e", state(Drain)), candidate("f", carrying(40)))
	req := PublishRequest{Name: alice}
	d, _ := x.Publisher(&req, nil)
	all := x.ExplainPublisher(&req, &d)
	for most := range 7 {
		near, rest := x.SummarizePublisher(&req, &d, most)
		n := len(near)
		for _, r := range near {
			if !slices.Contains(all, r) {
				t.Errorf("%+v is not in the explanation", r)
			}
		}
		for _, r := range rest {
			n += r.Count
		}
		if n != len(all) || len(near) != min(most, 5) {
			t.Errorf("%d near and %v of %d", len(near), rest, len(all))
		}
	}
	near, rest := x.SummarizePublisher(&req, &d, 2)
	if near[0].Node != "c" || near[1].Node != "b" || !slices.Equal(rest, []Tally{{Draining, 2}, {MoreLoaded, 1}}) {
		t.Errorf("%+v %+v", near, rest)
	}
}

func BenchmarkSummary1000(b *testing.B) {
	s := newShape(b, 1000, 1000, Options{})
	d, _ := s.x.Viewer(&s.reqs[0], s.rng)
	b.ReportAllocs()
	for b.Loop() {
		s.x.SummarizeViewer(&s.reqs[0], &d, 8)
	}
}
