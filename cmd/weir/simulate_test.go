package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulate(t *testing.T) {
	tiny := []string{"simulate", "--viewers", "2000", "--streams", "100", "--edges", "10", "--churn", "0.2"}
	svg := filepath.Join(t.TempDir(), "plot.svg")
	code, out, errOut := weir(t, append(tiny, "--policy", "all", "--svg", svg)...)
	if code != 0 || strings.Count(out, "\n") != 10 || !strings.Contains(out, "hash_bounded") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	if b, err := os.ReadFile(svg); err != nil || !strings.Contains(string(b), "</svg>") {
		t.Errorf("no plot: %v", err)
	}
	code, out, _ = weir(t, append(tiny, "--json", "--fronts", "3", "--report-every", "1s", "--flash", "20")...)
	var got simulated
	if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil || len(got.Runs) != 1 || got.Runs[0].EventHash == "" || len(got.Runs[0].Samples) == 0 {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
	for _, bad := range [][]string{{"--policy", "best"}, {"--fronts", "3"}, {"--reservations", "some"}, {"--viewers", "0"}} {
		if code, _, errOut := weir(t, append([]string{"simulate"}, bad...)...); code != exitConfig || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%v: exit %d, %q", bad, code, errOut)
		}
	}
}
