package bench

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestProcessReadsItself(t *testing.T) {
	p, err := newProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	before, err := p.read()
	if err != nil {
		t.Fatal(err)
	}
	for ownCPU() < 20*time.Millisecond {
	}
	after, err := p.read()
	if err != nil {
		t.Fatal(err)
	}
	if after.cpu <= before.cpu || after.rss < 1<<20 {
		t.Errorf("%+v, then %+v", before, after)
	}
}

func TestProcessThatIsNot(t *testing.T) {
	if _, err := newProcess(1 << 30); err == nil {
		t.Error("no error")
	}
	if _, err := newMeter([]int{1 << 30}); err == nil {
		t.Error("no error")
	}
}

func TestStatWithAnUnpleasantName(t *testing.T) {
	user, system, err := parseStat([]byte("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1"))
	if err != nil || user != 1500*time.Millisecond || system != 250*time.Millisecond {
		t.Error(user, system, err)
	}
	if _, _, err := parseStat([]byte("7 (a) S 1")); err == nil {
		t.Error("no error")
	}
}

func TestMachineLoad(t *testing.T) {
	const stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 0 10 %d 20 0 0 0 0 0\ncpu1 0 0 0 %d 0 0 0 0 0 0\nintr 5\n"
	start := time.Unix(0, 0)
	before := machineLoad{start, parseMachine(fmt.Appendf(nil, stat, 100, 700))}
	after := machineLoad{start.Add(time.Second), parseMachine(fmt.Appendf(nil, stat, 150, 801))}
	if got := after.since(before); len(got) != 2 || got[0] != 0.5 || got[1] != 0 {
		t.Error(got)
	}
	if got := (machineLoad{}).since(machineLoad{}); got != nil {
		t.Error(got)
	}
}
