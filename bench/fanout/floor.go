package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"weir/bench/rig"
)

// floor is bench/floor.c in one of its modes.
type floor struct {
	t     *tools
	label string
	args  []string
}

// parseFloor reads floor-send, floor-nodelay, floor-writevMS and floor-sendfileMS.
func parseFloor(t *tools, s string) (floor, error) {
	f := floor{t: t, label: s}
	mode := strings.TrimPrefix(s, "floor-")
	switch mode {
	case "send":
		f.args = []string{"-m", "send"}
		return f, nil
	case "nodelay":
		f.args = []string{"-m", "send", "-n"}
		return f, nil
	}
	for _, m := range []string{"writev", "sendfile"} {
		if ms, ok := strings.CutPrefix(mode, m); ok {
			if n, err := strconv.Atoi(ms); err == nil && n > 0 {
				// With NODELAY, as the last piece of a batch should not wait for the next.
				f.args = []string{"-m", m, "-b", ms, "-n"}
				return f, nil
			}
		}
	}
	return f, fmt.Errorf("contender %q: want floor-send, floor-nodelay, floor-writevMS or floor-sendfileMS", s)
}

func (f floor) name() string { return f.label }

func (f floor) start(ctx context.Context, l load) (*server, error) {
	if l.Streams > 1 {
		return nil, fmt.Errorf("%s: the floor has one stream", f.label)
	}
	if err := f.t.buildFloor(ctx); err != nil {
		return nil, err
	}
	script := filepath.Join(f.t.dir, "script")
	if err := os.WriteFile(script, makeScript("live/fanout", shape(l)), 0o600); err != nil {
		return nil, err
	}
	var port string
	p, err := rig.Saying(ctx, func(line []byte) bool { port = string(line); return true }, append([]string{f.t.floorBinary, "-s", script}, f.args...)...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.label, err)
	}
	return &server{url: "tcp://127.0.0.1:" + port + "/live/fanout", pid: p.Pid(), publishes: true, stop: p.Stop}, nil
}

// buildFloor compiles the program once.
func (t *tools) buildFloor(ctx context.Context) error {
	if t.floorBinary != "" {
		return nil
	}
	binary := filepath.Join(t.dir, "floor")
	if out, err := exec.CommandContext(ctx, "cc", "-O2", "-Wall", "-o", binary, t.floorSource).CombinedOutput(); err != nil {
		return fmt.Errorf("cc %s: %w\n%s", t.floorSource, err, out)
	}
	t.floorBinary = binary
	return nil
}
