// Package house_test holds the walls of the house: which package may know which,
// and why. See docs/architecture.md.
package house_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct, without tests
	Deps       []string // all
}

// load lists every package of the module and all that they import.
func load(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "weir/...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// within reports whether path is one of trees or below one; a leading "=" means
// that package alone.
func within(path string, trees ...string) bool {
	for _, tree := range trees {
		alone := strings.HasPrefix(tree, "=")
		tree = strings.TrimPrefix(tree, "=")
		if path == tree || !alone && strings.HasPrefix(path, tree+"/") {
			return true
		}
	}
	return false
}

const (
	media   = "weir/internal/media"
	control = "weir/internal/control"
	ops     = "weir/internal/ops"
	front   = "weir/internal/front"
	node    = "weir/internal/node"
	demo    = "weir/internal/demo"
	cmd     = "weir/cmd"
)

// walls are the forbidden imports, direct or not: from knows nothing of to.
var walls = []struct {
	from, to []string
	except   []string // of from
	why      string
}{
	{
		from: []string{"weir/amf", "weir/flv", "weir/rtmp"}, to: []string{"weir/internal", "weir/cmd"},
		why: "wire formats know no servers: anybody may import them",
	},
	{
		from: []string{"weir/internal/stream"}, to: []string{"weir/amf", "weir/flv", "weir/rtmp", ops, media, control, front, node},
		why: "the vocabulary is a leaf that both wings share",
	},
	{
		from: []string{media + "/live"}, to: []string{media + "/session", media + "/ingest", media + "/play", media + "/relay", media + "/member", ops},
		why: "live is the hot path: it knows no protocol session and no policy, and can be understood alone",
	},
	{
		from: []string{media}, to: []string{control, front, node},
		why: "media does not choose servers: it is told an address",
	},
	{
		from: []string{control}, to: []string{media, front, node},
		why: "control does not touch media: it can be simulated without any",
	},
	{
		from: []string{front}, to: []string{control + "/store", control + "/cluster", node},
		why: "the front's sessions are given a placer and a way to dial; where records are kept is not their business",
	},
	{
		from: []string{front + "/splice"}, to: []string{"weir"},
		why: "splice knows bytes, ends and limits, and no protocol",
	},
	{
		from: []string{front + "/web"}, to: []string{media, control},
		why: "HTTP in front asks an interface for servers, and has the node serve streams",
	},
	{
		from: []string{control + "/fleet/pace", ops + "/agent", ops + "/certs"}, to: []string{"weir"},
		why: "a pacer, an answer to HAProxy and certificates need nothing of the house",
	},
	{
		from: []string{ops}, to: []string{media, control, front, node},
		why: "operations are spoken to: they declare the interfaces that they ask",
	},
	{
		from: []string{"weir"}, to: []string{node}, except: []string{cmd, "=" + node},
		why: "node knows everything, so whoever imported it would too",
	},
	{
		from: []string{"weir"}, to: []string{demo}, except: []string{cmd, demo},
		why: "the demonstration is no part of a server",
	},
}

// keepers are the libraries that only certain packages import directly.
var keepers = []struct {
	lib  string
	only []string
	why  string
}{
	{"go.etcd.io", []string{control + "/store"}, "the store is the only code that talks to etcd"},
	{"go.uber.org/zap", []string{control + "/store", ops + "/certs"}, "etcd's and certmagic's own logger, turned into slog there"},
	{"github.com/caddyserver/certmagic", []string{ops + "/certs"}, "certificates are one package's business"},
	{"github.com/mholt/acmez", []string{ops + "/certs"}, "certificates are one package's business"},
	{"github.com/letsencrypt/pebble", []string{ops + "/certs/certstest"}, "an authority for tests is not in the binary"},
	{"github.com/miekg/dns", []string{control + "/fleet/discovery", ops + "/certs/certstest"}, "who resolves names to backends keeps to their time to live; others have package net"},
	{"github.com/fsnotify/fsnotify", []string{control + "/fleet/discovery"}, "one place watches files that change often"},
	{"github.com/goccy/go-yaml", []string{ops + "/config"}, "one place knows the file's format"},
	{"github.com/spf13/cobra", []string{cmd + "/weir"}, "commands are in cmd"},
	// etcd's server brings both along, on the default HTTP server, which nothing
	// here serves.
	{"net/http/pprof", nil, "no profiler on any listener"},
	{"expvar", nil, "no variables on any listener"},
	{ops + "/certs/certstest", nil, "tests are not in the binary"},
	{"testing", []string{control + "/store/storetest", "weir/internal/testnet/seeded", ops + "/certs/certstest"}, "tests are not in the binary"},
	{"github.com/prometheus", []string{ops + "/event", ops + "/admin", node}, "parts emit events; they do not count"},
}

func TestWalls(t *testing.T) {
	all := load(t)
	for _, w := range walls {
		met := false
		for path, p := range all {
			if !within(path, w.from...) || within(path, w.except...) {
				continue
			}
			met = true
			for _, dep := range p.Deps {
				if within(dep, w.to...) && !within(dep, path) {
					t.Errorf("%s imports %s%s: %s", path, dep, through(all, path, dep), w.why)
				}
			}
		}
		if !met {
			t.Errorf("no package is within %v: the wall stands nowhere", w.from)
		}
	}
}

// through names the direct import by which path comes to dep.
func through(all map[string]pkg, path, dep string) string {
	if slices.Contains(all[path].Imports, dep) {
		return ""
	}
	for _, imp := range all[path].Imports {
		if slices.Contains(all[imp].Deps, dep) {
			return " through " + imp
		}
	}
	return ""
}

func TestWireFormatsUseTheStandardLibraryOnly(t *testing.T) {
	all := load(t)
	for _, path := range []string{"weir/amf", "weir/flv", "weir/rtmp", "weir/internal/stream", "weir/internal/proxyproto"} {
		for _, dep := range all[path].Deps {
			if !all[dep].Standard && !within(dep, "weir/amf", "weir/flv", "weir/rtmp") {
				t.Errorf("%s imports %s: wire formats and vocabulary cost their importers nothing but the standard library", path, dep)
			}
		}
	}
}

func TestLibrariesHaveTheirKeepers(t *testing.T) {
	all := load(t)
	for path, p := range all {
		if !within(path, "weir") {
			continue
		}
		for _, k := range keepers {
			for _, imp := range p.Imports {
				if within(imp, k.lib) && !within(path, k.only...) {
					t.Errorf("%s imports %s: %s", path, imp, k.why)
				}
			}
		}
	}
}
