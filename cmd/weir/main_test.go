package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/admin"
	"weir/internal/ops/secret"
	"weir/internal/proctest"
)

type fleet struct {
	away time.Time // since when the store is
}

func (fleet) Nodes(context.Context) ([]admin.Node, error) {
	return []admin.Node{
		{Name: "origin1", Roles: []string{"origin"}, State: "up", Addresses: admin.Addresses{RTMP: "10.0.0.1:1935"}, Load: admin.Load{Publishers: 3, Egress: 2.5e6, CPU: 0.314}},
		{Name: "edge1", Roles: []string{"edge", "front"}, State: "draining", Load: admin.Load{Viewers: 12, Pulls: 1, Ingress: 900}},
	}, nil
}

func (fleet) Streams(context.Context) ([]admin.Stream, error) {
	return []admin.Stream{
		{App: "live", Name: "alice", Owner: "origin1", Edges: []string{"edge1"}, Viewers: 12, Bitrate: 2_500_000, Tracks: []admin.Track{{Kind: "video", Codec: "avc1"}, {Kind: "audio", Codec: "mp4a"}}},
		{App: "live", Name: "bob"},
	}, nil
}

func (fleet) Drain(context.Context, string, time.Duration) error { return nil }
func (fleet) Route(q admin.RouteQuery) admin.Route {
	if q.Publish {
		return admin.Route{Reason: "no server can take it", Rejected: []admin.NotChosen{{Node: "o1", Reason: "full"}}}
	}
	if q.Source.IsValid() || q.Zone != "" {
		return admin.Route{Node: "e1", Reason: q.Source.String() + " in " + q.Zone}
	}
	return admin.Route{Node: "o1", Reason: "least loaded", Rejected: []admin.NotChosen{{Node: "o2", Reason: "more loaded"}}}
}
func (fleet) Undrain(context.Context, string) error { return nil }

func (f fleet) StoreAway() time.Time { return f.away }

func (fleet) Ready() (bool, []admin.Problem) { return true, nil }

// weir runs the program and returns its exit code and output.
func weir(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e strings.Builder
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLists(t *testing.T) {
	srv := httptest.NewServer(admin.Handler(admin.Options{Fleet: fleet{}}))
	defer srv.Close()
	for _, tc := range []struct{ cmd, want string }{
		{"nodes", `NODE     ROLES       STATE     RTMP           PUBLISHERS  VIEWERS  PULLS  IN       OUT       CPU
edge1    edge,front  draining  -              0           12       1      900 b/s  0 b/s     0%
origin1  origin      up        10.0.0.1:1935  3           0        0      0 b/s    2.5 Mb/s  31%
`},
		{"streams", `STREAM      OWNER    EPOCH  EDGES  VIEWERS  BITRATE   TRACKS
live/alice  origin1  0.0    edge1  12       2.5 Mb/s  avc1,mp4a
live/bob    -        0.0    -      0        0 b/s     -
`},
	} {
		code, out, errOut := weir(t, tc.cmd, "--admin", srv.URL)
		if code != 0 || out != tc.want || errOut != "" {
			t.Errorf("weir %s: %d %s\n%s", tc.cmd, code, errOut, out)
		}
		if code, out, _ := weir(t, tc.cmd, "--admin", srv.URL, "--json"); code != 0 || !strings.HasPrefix(out, "{\n  \""+tc.cmd+"\": [") {
			t.Errorf("weir %s --json: %d %s", tc.cmd, code, out)
		}
	}
	// A list from memory is the same, and what it lacks is said beside it.
	away := httptest.NewServer(admin.Handler(admin.Options{Fleet: fleet{away: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}))
	defer away.Close()
	for _, cmd := range []string{"nodes", "streams"} {
		_, want, _ := weir(t, cmd, "--admin", srv.URL)
		code, out, errOut := weir(t, cmd, "--admin", away.URL)
		if code != 0 || out != want || !strings.Contains(errOut, "not heard from the store since 2026-01-02T03:04:05Z") {
			t.Errorf("weir %s without the store: %d %q\n%s", cmd, code, errOut, out)
		}
	}
	t.Setenv("WEIR_ADMIN", srv.URL)
	if code, out, _ := weir(t, "nodes"); code != 0 || !strings.Contains(out, "origin1") {
		t.Errorf("with WEIR_ADMIN: %d %s", code, out)
	}
}

func TestExitCodes(t *testing.T) {
	good := file(t, "node: {name: n1}\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	guarded := httptest.NewServer(admin.Handler(admin.Options{Fleet: fleet{}, Token: secret.New("right")}))
	defer guarded.Close()
	free := []string{"--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"}
	for _, tc := range []struct {
		args []string
		code int
		want string // within stdout or stderr
	}{
		{[]string{"version"}, 0, "weir "},
		{[]string{"version", "--json"}, 0, `"version":"`},
		{[]string{"--help"}, 0, "serve"},
		{[]string{"drain", "--help"}, 0, "at least 50 go a second"},
		{[]string{"check", "-c", file(t, "\x7fELF\x02\x01\x00\x00\x1b[2J")}, 2, "weir.yaml: not a text file in UTF-8"},
		{[]string{"nodes", "--admin", guarded.URL}, 1, "wants a token: give the node's admin.token by --token, or set $WEIR_TOKEN"},
		{[]string{"nodes", "--admin", guarded.URL, "--token", "wrong"}, 1, "does not accept this token"},
		{[]string{"nodes", "--admin", guarded.URL, "--token", "right"}, 0, "origin1"},
		{[]string{"route", "live/alice", "--admin", guarded.URL, "--token", "right"}, 0, "least loaded"},
		{[]string{"route", "live/alice", "--source", "192.0.2.7", "--zone", "b", "--admin", guarded.URL, "--token", "right"}, 0, "192.0.2.7 in b"},
		{[]string{"route", "live/alice", "--publish", "--admin", guarded.URL, "--token", "right"}, 1,
			"nowhere: no server can take it\n  not o1  full\nweir: publish of live/alice: no server would take it\n"},
		{[]string{"route", "live/alice", "--publish", "--json", "--admin", guarded.URL, "--token", "right"}, 1, `"reason": "no server can take it"`},
		{[]string{"route", "live/alice", "--source", "here"}, 2, "--source: an address without a port"},
		{nil, 0, "serve"},
		{[]string{"check", "-c", good}, 0, "is good: node n1, front origin edge, rtmp on :1935, store memory"},
		{[]string{"check"}, 2, "weir: no file given"},
		{[]string{"check", "-c", "nosuch.yaml"}, 2, "nosuch.yaml: no such file"},
		{[]string{"check", "-c", file(t, "node: {nmae: x}\nrtmp: {listen: 1935}\n")}, 2, `weir.yaml:1:8: node.nmae: unknown key; did you mean "name"?`},
		{[]string{"serve", "-c", file(t, "store: {kind: etcd}\n")}, 2, "store.endpoints: missing"},
		{[]string{"serve", "--rtmp", "1935"}, 2, `--rtmp: "1935" is no address to listen on; write :1935`},
		{[]string{"serve", "--roles", "orign"}, 2, `did you mean "origin"?`},
		{[]string{"serve", "--rtpm", ":1"}, 2, "weir: unknown flag: --rtpm"},
		{[]string{"serve", "now"}, 2, `weir: unexpected argument "now"`},
		{[]string{"sevre"}, 2, `weir: unknown command "sevre", did you mean "serve"?`},
		{[]string{"demo", "--for", "soon"}, 2, "weir: invalid argument"},
		{[]string{"demo", "--for", "-1s"}, 2, "negative"},
		{[]string{"nodes", "--admin", "http://" + proctest.Addr(t)}, 1, "connection refused"},
		{append([]string{"serve", "--rtmp", taken.Addr().String()}, free...), 1, "is in use by"},
	} {
		code, out, errOut := weir(t, tc.args...)
		if code != tc.code || !strings.Contains(out+errOut, tc.want) {
			t.Errorf("weir %s: exit %d, want %d with %q\n%s%s", strings.Join(tc.args, " "), code, tc.code, tc.want, out, errOut)
		}
		if code == 1 {
			last := strings.TrimSpace(errOut)
			if i := strings.LastIndex(last, "\n"); i >= 0 {
				last = last[i+1:]
			}
			if !strings.HasPrefix(last, "weir: ") {
				t.Errorf("weir %s: the error is not the last line: %s", strings.Join(tc.args, " "), errOut)
			}
		}
	}
}

func TestServeEndsInGoodOrder(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	log := &watched{until: "msg=ready", then: func() { cancel(errors.New("signal")) }}
	var out strings.Builder
	if code := run(ctx, []string{"serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, &out, log); code != 0 {
		t.Errorf("exit %d\n%s", code, log.String())
	}
	if !strings.Contains(log.String(), "what=rtmp addr=127.0.0.1:") {
		t.Errorf("the log does not say which port :0 became:\n%s", log.String())
	}
}

// Who reads a log of JSON reads why the node ended, too.
func TestWhatEndsANodeIsInItsLog(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	code, _, log := weir(t, "serve", "--rtmp", ln.Addr().String(), "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	var last struct{ Level, Err string }
	for line := range strings.Lines(log) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if last.Level != "ERROR" || !strings.Contains(last.Err, "in use") {
		t.Errorf("the last line: %+v of %q", last, log)
	}
}

func TestOneFlagPerKey(t *testing.T) {
	cmd := serve()
	for _, f := range flags {
		if err := cmd.Flags().Set(f.name, "x"); err != nil {
			t.Error(err)
		}
	}
	if got := len(overrides(cmd)); got != len(flags) {
		t.Errorf("%d overrides of %d flags", got, len(flags))
	}
}

func TestDocsNameEveryFlagAndItsKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flags {
		found := false
		for line := range strings.Lines(string(text)) {
			found = found || strings.HasPrefix(line, "|") && strings.Contains(line, "`--"+f.name) && strings.Contains(line, "`"+f.key+"`")
		}
		if !found {
			t.Errorf("docs/configuration.md does not say that --%s sets %s", f.name, f.key)
		}
	}
}

// A file that is no configuration says so, and says nothing to the terminal.
func TestAStrangeFileDoesNotReachTheTerminal(t *testing.T) {
	for _, content := range []string{"a\x1b[2Jb: 1\n", "node: {name: \"\x1b]0;x\x07\"}\nx\x1by: 1\n", "k: [" + strings.Repeat("\x1b[31m{", 400)} {
		code, out, errOut := weir(t, "check", "-c", file(t, content))
		if code != 2 || strings.ContainsAny(out+errOut, "\x1b\x07") || len(errOut) > 2000 {
			t.Errorf("exit %d, %d bytes: %q", code, len(errOut), errOut)
		}
	}
}
