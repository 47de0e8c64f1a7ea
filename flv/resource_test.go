package flv

import (
	"runtime"
	"testing"
)

// allocated returns what f allocates, in bytes. The counter is that of the whole
// process, so callers leave room: the oracle has a MiB of it.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

// maxAlloc is the oracle that every decoder of Weir is held to.
func maxAlloc(input int) uint64 { return 8*uint64(input) + 1<<20 }

func TestNoAllocations(t *testing.T) {
	for _, c := range []struct{ name, hex string }{
		{"AVC", "17 01 000050 ff"},
		{"HEVC", "91" + hexHEVC + "000021 ff"},
		{"ModEx and multitrack", "97 02 000007 06 21" + hexAV1 + "00 000001 aa" + hexHEVC + "01 000004 000007 bb"},
	} {
		p := unhex(t, c.hex)
		n := testing.AllocsPerRun(100, func() {
			v, err := ParseVideo(p)
			if err != nil {
				t.Fatal(err)
			}
			for x := range v.Tracks(p) {
				if len(x.Body) == 0 {
					t.Fatal("no body")
				}
			}
		})
		if n != 0 {
			t.Errorf("ParseVideo %s: %v allocations", c.name, n)
		}
	}
	for _, c := range []struct{ name, hex string }{
		{"AAC", "af 01 ff"},
		{"Opus", "91" + hexOpus + "ff"},
		{"multitrack", "95 21" + hexAAC + "00 000001 aa" + hexOpus + "01 000001 bb"},
	} {
		p := unhex(t, c.hex)
		n := testing.AllocsPerRun(100, func() {
			a, err := ParseAudio(p)
			if err != nil {
				t.Fatal(err)
			}
			for x := range a.Tracks(p) {
				if len(x.Body) == 0 {
					t.Fatal("no body")
				}
			}
		})
		if n != 0 {
			t.Errorf("ParseAudio %s: %v allocations", c.name, n)
		}
	}
	buf := make([]byte, 0, 64<<10)
	payload := make([]byte, 10<<10)
	if n := testing.AllocsPerRun(100, func() { AppendTag(buf, TagVideo, 1<<24, payload) }); n != 0 {
		t.Errorf("AppendTag: %v allocations", n)
	}
}
