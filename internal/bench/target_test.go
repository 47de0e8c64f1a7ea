package bench

import (
	"slices"
	"testing"
)

func TestTargets(t *testing.T) {
	for in, want := range map[string]Target{
		"rtmp://h/live/a":              {Scheme: "rtmp", Host: "h:1935", App: "live", Name: "a"},
		"rtmps://h/live/a?token=x&y=z": {Scheme: "rtmps", Host: "h:443", App: "live", Name: "a", Query: "?token=x&y=z"},
		"tcp://[::1]:9/live/a/b":       {Scheme: "tcp", Host: "[::1]:9", App: "live", Name: "a/b"},
	} {
		if got, err := ParseTarget(in); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"ftp://h/live/a", "rtmp://h/live", "rtmp:///live/a", "tcp://h/live/a", "rtmp://h/live/", "%"} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("%s: %+v", in, got)
		}
	}
}

func TestStreamsHaveNumbers(t *testing.T) {
	for _, tc := range []struct{ url, want string }{
		{"rtmp://h:1/live/a", "live/a-3"},
		{"rtmp://h:1/live/a{}b", "live/a3b"},
	} {
		target, err := ParseTarget(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Stream(3, 5).Key(); got != tc.want {
			t.Errorf("%s: %s", tc.url, got)
		}
	}
	one, _ := ParseTarget("rtmp://h:1/live/a")
	if got := one.Stream(0, 1).Key(); got != "live/a" {
		t.Error(got)
	}
}

// Tokens are in the query, which reports leave out.
func TestTargetsPrintWithoutSecrets(t *testing.T) {
	target, err := ParseTarget("rtmp://h:1/live/a?token=secret")
	if err != nil {
		t.Fatal(err)
	}
	if got := target.String(); got != "rtmp://h:1/live/a" {
		t.Error(got)
	}
}

// What is published to N streams is what N streams are played from.
func TestBothCommandsNumberAlike(t *testing.T) {
	for _, url := range []string{"rtmp://h:1/live/a", "rtmp://h:1/live/a{}"} {
		pub, err := (&PublishOptions{URLs: []string{url}, Streams: 3}).check()
		if err != nil {
			t.Fatal(err)
		}
		play, err := (&PlayOptions{URLs: []string{url}, Streams: 3, Viewers: 1}).check()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(pub, play) || len(pub) != 3 || pub[1] == pub[2] {
			t.Errorf("%v and %v", pub, play)
		}
	}
}
