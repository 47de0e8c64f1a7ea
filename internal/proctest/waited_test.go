package proctest

import (
	"os"
	"runtime"
	"testing"
)

// On a kernel that counts, who shares one processor with others waits for it.
func TestWhoSharesAProcessorWaits(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		return
	}
	var p *Process
	for range runtime.NumCPU() + 1 {
		var err error
		if p, err = Start(new(Log), "sh", "-c", "while :; do :; done"); err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
	}
	for Waited(p.Pid()) == 0 {
		runtime.Gosched()
	}
	p.Kill()
	if Waited(p.Pid()) != 0 {
		t.Error("a process that has ended waits")
	}
	if Stolen() < 0 {
		t.Error("time was given to this machine")
	}
}
