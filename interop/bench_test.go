package interop_test

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// benchReport is what both bench commands print with --json.
type benchReport struct {
	Sessions struct{ Asked, Up, Failed, Dropped int }
	Frames   struct {
		Viewers                                                int
		Received, Lost, Doubled, Foreign, Unstamped, Backwards uint64
	}
	Bytes struct {
		Received int64
		Ratio    float64
		Short    int
	}
	Join   struct{ NoKey int }
	Server *struct {
		CPU float64 `json:"cpu_seconds"`
	}
}

// The load tool against a real node: publishers of its own, viewers over every output that
// it knows, and figures that add up.
func TestBenchAgainstANode(t *testing.T) {
	t.Parallel()
	n := startNode(t, nodeOptions{name: "o1", roles: "origin", config: rtmpsConfig(t)})
	base := n.target("live", "bench-{}").url()
	publisher := start(t, "the publisher", weirBinary(t), "bench", "publish", base, "--streams", "2", "--bitrate", "300", "--gop", "500ms", "--json")
	for i := range 2 {
		n.published(t, "live", "bench-"+strconv.Itoa(i))
	}
	for scheme, url := range map[string]string{
		"rtmp":  base,
		"rtmps": n.target("live", "bench-{}").tlsURL(),
		"http":  "http://" + n.listening["http"] + "/live/bench-{}.flv",
	} {
		for _, reader := range []string{"lazy", "eager"} {
			t.Run(scheme+"/"+reader, func(t *testing.T) {
				out, err := exec.Command(weirBinary(t), "bench", "play", url, "--streams", "2", "--viewers", "40", "--sample", "10", "--reader", reader,
					"--insecure", "--warmup", "500ms", "--for", "2s", "--pid", strconv.Itoa(n.p.Pid()), "--json").Output()
				var r benchReport
				if err != nil || json.Unmarshal(out, &r) != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if s := r.Sessions; s.Asked != 40 || s.Up != 40 || s.Failed+s.Dropped+r.Join.NoKey != 0 {
					t.Errorf("sessions %+v, %d without a key frame", s, r.Join.NoKey)
				}
				if f := r.Frames; f.Viewers != 10 || f.Received == 0 || f.Lost+f.Doubled+f.Foreign+f.Unstamped+f.Backwards != 0 {
					t.Errorf("frames: %+v", f)
				}
				// A lazy reader's last bytes may be in its socket yet, at either end of the window.
				if b := r.Bytes; b.Received == 0 || b.Ratio < 0.5 || b.Ratio > 1.5 || b.Short > 0 {
					t.Errorf("bytes: %+v", b)
				}
				if r.Server == nil || r.Server.CPU <= 0 {
					t.Errorf("the node's CPU: %+v", r.Server)
				}
			})
		}
	}
	publisher.signal(syscall.SIGTERM)
	if err := publisher.wait(patience); err != nil {
		t.Errorf("publish: %v", err)
	}
	var r benchReport
	if err := json.Unmarshal([]byte(publisher.log.String()), &r); err != nil || r.Sessions.Up != 2 || r.Sessions.Dropped != 0 {
		t.Errorf("publish: %v, %+v\n%s", err, r.Sessions, publisher.log)
	}
}
