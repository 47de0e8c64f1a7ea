package main

import (
	"encoding/json"
	"strings"
	"testing"

	"weir/internal/proctest"
)

func TestBenchExitCodes(t *testing.T) {
	closed := "rtmp://" + proctest.Addr(t) + "/live/a"
	for _, tc := range []struct {
		args []string
		code int
		want string // within stdout or stderr
	}{
		{[]string{"bench"}, 0, "publish"},
		{[]string{"bench", "watch"}, 2, `unknown command "watch"`},
		{[]string{"bench", "play"}, 2, "no URL given"},
		{[]string{"bench", "play", "ftp://h/live/a"}, 2, "the scheme is not"},
		{[]string{"bench", "play", closed, "--reader", "keen"}, 2, "want lazy or eager"},
		{[]string{"bench", "play", closed, "--pid", "1073741824"}, 2, "process 1073741824"},
		{[]string{"bench", "publish", closed, "--fps", "0"}, 2, "--fps"},
		{[]string{"bench", "play", closed, "-n", "2", "--warmup", "0s", "--for", "1ms"}, 1, "connection refused"},
		{[]string{"bench", "publish", closed}, 1, "no session came up"},
	} {
		code, out, errOut := weir(t, tc.args...)
		if code != tc.code || !strings.Contains(out+errOut, tc.want) {
			t.Errorf("weir %s: exit %d, want %d with %q\n%s%s", strings.Join(tc.args, " "), code, tc.code, tc.want, out, errOut)
		}
	}
}

func TestBenchJSON(t *testing.T) {
	_, out, _ := weir(t, "bench", "play", "rtmp://"+proctest.Addr(t)+"/live/a", "-n", "2", "--warmup", "0s", "--for", "1ms", "--json")
	var r struct{ Sessions struct{ Asked, Failed int } }
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Sessions.Asked != 2 || r.Sessions.Failed != 2 {
		t.Errorf("%+v, %v\n%s", r, err, out)
	}
}
