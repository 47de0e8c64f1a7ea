package proctest

import (
	"strings"
	"testing"
	"time"
)

func TestAProcessEndsWithItsWholeGroup(t *testing.T) {
	p, err := Start(new(Log), "sh", "-c", "sleep 1000 & echo started; echo rest of a line >&2; wait")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it speaks", func() bool { return strings.Contains(string(p.Log.From(0)), "started\n") })
	if !p.Running() {
		t.Fatal("it has ended")
	}
	p.Freeze()
	p.Thaw()
	began := time.Now()
	p.Kill() // a child that lived would keep the pipe open for pipeDelay
	if took := time.Since(began); p.Running() || p.Err == nil || took >= pipeDelay {
		t.Errorf("ended: %v (%v) after %v", !p.Running(), p.Err, took)
	}
	p.Kill() // again is nothing
	if tail := p.Log.Tail(7); !strings.HasPrefix(tail, "…") {
		t.Errorf("%q", tail)
	}
	if _, err := Start(new(Log), "/nonexistent"); err == nil {
		t.Error("a program that is not there")
	}
}
