package session

import "testing"

// A connection is visited as rarely as its streams allow and its bytes fit, in rounds that fall together.
func TestVisitsAreAsRareAsPatienceAndBytesAllow(t *testing.T) {
	for _, c := range []struct {
		what  string
		most  int
		found []int
		every int
	}{
		{"no patience", 0, []int{10, 10}, 1},
		{"little came", 4, []int{10}, 4},
		{"nothing came", 4, []int{0}, 4},
		{"2.6 Mb/s", 4, []int{6500, 26_000}, 4},
		{"8 Mb/s", 4, []int{20_000, 20_000}, 1},
		{"4 Mb/s", 4, []int{10_000, 20_000}, 2},
		{"a key frame", 4, []int{6500, 80_000}, 1},
		{"after it", 4, []int{6500, 80_000, 6500}, 4},
		{"patience for three rounds", 3, []int{10}, 2},
	} {
		v := visits{most: c.most}
		for _, n := range c.found {
			v.found(n)
		}
		if v.every != c.every {
			t.Errorf("%s: every %d rounds, want %d", c.what, v.every, c.every)
		}
		for round := range 2 * rarest {
			if v.due(round) != (round%c.every == 0) {
				t.Errorf("%s: round %d", c.what, round)
			}
		}
	}
	if rarest&(rarest-1) != 0 {
		t.Error("rarest is no power of two")
	}
}
