package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// node is a running weir process.
type node struct {
	*process
	*api
	name      string
	listening map[string]string // what → HOST:PORT, as it logged
}

// nodeOptions say what to start. Listeners are on free ports of the loopback.
type nodeOptions struct {
	name, roles string
	store       []string // flags: --store and what belongs to it; nil = the default
	config      string   // YAML, or ""
}

// startNode starts a node and returns when it says that it is ready.
func startNode(t *testing.T, o nodeOptions) *node {
	t.Helper()
	n := launchNode(t, o)
	n.ready(t)
	return n
}

// launchNode starts a node; ready must follow before its addresses are used.
func launchNode(t *testing.T, o nodeOptions) *node {
	t.Helper()
	argv := []string{weirBinary(t), "serve", "--name", o.name, "--roles", o.roles,
		"--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json"}
	if o.config != "" {
		path := filepath.Join(t.TempDir(), o.name+".yaml")
		if err := os.WriteFile(path, []byte(o.config), 0o600); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, "-c", path)
	}
	argv = append(argv, o.store...)
	return &node{process: start(t, o.name, argv...), name: o.name, listening: map[string]string{}}
}

// ready waits until the node has logged that it is ready, and where it listens.
func (n *node) ready(t *testing.T) {
	t.Helper()
	read := 0
	eventually(t, n.name+" ready", func() error {
		lines := n.log.From(read)
		read += len(lines)
		if n.note(lines) {
			return nil
		}
		if err := n.running(); err != nil {
			t.Fatal(err)
		}
		return errors.New("no line that says ready yet")
	})
	for _, what := range []string{"rtmp", "http", "admin"} {
		if n.listening[what] == "" {
			t.Fatalf("%s is ready and has not logged its %s address: %v", n.name, what, n.listening)
		}
	}
	n.api = &api{base: "http://" + n.listening["admin"]}
}

// note reads log lines and reports whether one of them says ready.
func (n *node) note(lines []byte) (ready bool) {
	for line := range bytes.Lines(lines) {
		var l struct{ Msg, What, Addr string }
		if json.Unmarshal(line, &l) != nil {
			continue // not from slog: a runtime message, shown if the test fails
		}
		switch l.Msg {
		case "listening":
			n.listening[l.What] = l.Addr
		case "ready":
			ready = true
		}
	}
	return ready
}

// target names a stream at this node.
func (n *node) target(app, name string) target {
	return target{rtmp: n.listening["rtmp"], rtmps: n.listening["rtmps"], app: app, name: name}
}

// target is a stream at an address.
type target struct {
	rtmp, rtmps string // HOST:PORT
	app, name   string
}

func (g target) url() string    { return fmt.Sprintf("rtmp://%s/%s/%s", g.rtmp, g.app, g.name) }
func (g target) tlsURL() string { return fmt.Sprintf("rtmps://%s/%s/%s", g.rtmps, g.app, g.name) }
