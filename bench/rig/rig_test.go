package rig

import "testing"

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		v    []float64
		want string
	}{
		{nil, "–"},
		{[]float64{2}, "2.0"},
		{[]float64{3, 1, 2}, "2.0 (1.0–3.0)"},
		{[]float64{4, 1, 2, 3}, "2.5 (1.0–4.0)"},
	} {
		if got := SpreadOf(tc.v).Format(1); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.v, got, tc.want)
		}
	}
}

func TestRunsDoNotOverlap(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	release, err := alone()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone(); err == nil {
		t.Error("a second run began")
	}
	release()
	if release, err = alone(); err != nil {
		t.Fatal(err)
	}
	release()
}
