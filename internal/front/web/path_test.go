package web

import (
	"slices"
	"testing"

	"weir/internal/stream"
)

func TestNamesOfPaths(t *testing.T) {
	p := newPrefixes(map[string]string{"/hls/": "live", "WebRTCAppEE/streams": "WebRTCAppEE"})
	for _, c := range []struct {
		path, is string // of whom it has to be
		media    bool
	}{
		{"/live/alice.flv", "live/alice", true},
		{"/live/alice.m3u8", "live/alice", true},
		{"/live/alice-17.ts", "live/alice", true},
		{"/live/alice_low.m3u8", "live/alice", true},
		{"/live/alice_low-17.ts", "live/alice", true},
		{"/live/alice/index.m3u8", "live/alice", true},
		{"/live/alice/17.ts", "live/alice", true},
		{"/live/alice_low/17.ts", "live/alice", true},
		{"/live/alice/whep", "live/alice", false},
		{"/live/cam-7.m3u8", "live/cam-7", true},
		{"/live/cam-7-17.ts", "live/cam-7", true},
		{"/hls/alice-3.ts", "live/alice", true},
		{"/hls/alice/index.m3u8", "live/alice", true},
		{"/WebRTCAppEE/streams/s1.m3u8", "WebRTCAppEE/s1", true},
		{"/WebRTCAppEE/streams/s1000000004.ts", "WebRTCAppEE/s", true},
		{"/WebRTCAppEE/streams/s1_adaptive.m3u8", "WebRTCAppEE/s1", true},
		{"/region/live/alice.flv", "region/live/alice", true},
		{"/a/b/c/index.m3u8", "a/b/c", true},
	} {
		names, media := p.names(c.path)
		if media != c.media || !slices.ContainsFunc(names, func(n stream.Name) bool { return n.String() == c.is }) {
			t.Errorf("%s: names %v, media %v; want %s among them, %v", c.path, names, media, c.is, c.media)
		}
	}
	if names, _ := p.names("/live/cam_2.flv"); len(names) != 1 || names[0] != name("live", "cam_2") {
		t.Errorf("a stream's own name was taken for another's: %v", names)
	}
	for _, path := range []string{"/", "/index.html", "/a/b/c/d/e/f/g/h/i.ts"} {
		if names, _ := p.names(path); names != nil {
			t.Errorf("%s: %v", path, names)
		}
	}
}

func TestTheFirstNameIsTheLikeliest(t *testing.T) {
	p := newPrefixes(map[string]string{"hls": "live"})
	for path, want := range map[string]string{"/live/a.m3u8": "live/a", "/hls/a.m3u8": "live/a", "/x/live/a.flv": "x/live/a"} {
		if names, _ := p.names(path); names[0].String() != want {
			t.Errorf("%s: %v", path, names)
		}
	}
}

func TestBadPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"/live/a.flv": false, "/a b": false, "/ü": false, "/...": false, "/": false,
		"": true, "*": true, "/../etc": true, "/live/..": true, "/live/./a": true, "/a\\b": true, "/a\x00": true, "/a\nb": true,
	} {
		if got := badPath(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"/live/alice-17.ts", "/a/b/c/d.m3u8", "////", "/hls/_-1.ts", "/\xff/\x00.flv"} {
		f.Add(s)
	}
	p := newPrefixes(map[string]string{"hls": "live"})
	f.Fuzz(func(t *testing.T, path string) {
		names, _ := p.names(path)
		if len(names) > maxNames {
			t.Errorf("%d names", len(names))
		}
		for i, n := range names {
			if slices.Contains(names[:i], n) {
				t.Errorf("%s twice", n)
			}
			if n.App == "" || n.Stream == "" || len(n.App) > 255 || len(n.Stream) > 255 {
				t.Errorf("bad name %q", n)
			}
		}
	})
}
