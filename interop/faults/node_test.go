package faults_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"weir/internal/proctest"
)

// app is the application of all streams.
const app = "live"

// nodeReady bounds a node's start on a busy machine.
const nodeReady = 30 * time.Second

// node is a member of the cluster under test, through its restarts.
type node struct {
	s     *story
	name  string
	roles string
	argv  []string // without the addresses
	host  *host    // nil: on the loopback
	api

	mu        sync.Mutex
	proc      *proctest.Process
	logs      []*proctest.Log   // of all its processes
	listening map[string]string // what → HOST:PORT; the same over restarts
}

// start runs the node; ready must follow.
func (n *node) start() {
	n.s.t.Helper()
	binary, err := weirBinary()
	if err != nil {
		n.s.t.Fatal(err)
	}
	argv := []string{binary, "serve", "--name", n.name, "--roles", n.roles, "--log-format", "json"}
	for _, what := range []string{"rtmp", "admin"} {
		addr := n.listening[what]
		if addr == "" {
			addr = freeAddr(n.s, n.host)
		}
		argv = append(argv, "--"+what, addr)
	}
	argv = append(argv, n.argv...)
	if n.host != nil {
		argv = append(n.host.enter(), argv...)
	}
	log := new(proctest.Log)
	p, err := proctest.Start(log, argv...)
	if err != nil {
		n.s.t.Fatalf("%s: %v", n.name, err)
	}
	n.mu.Lock()
	n.proc, n.logs = p, append(n.logs, log)
	n.mu.Unlock()
}

// ready waits until the node has logged that it is.
func (n *node) ready() {
	n.s.t.Helper()
	read := 0
	n.s.eventually(nodeReady, n.name+" is ready", func() error {
		lines := n.proc.Log.From(read)
		read += len(lines)
		for line := range bytes.Lines(lines) {
			var l struct{ Msg, What, Addr string }
			if json.Unmarshal(line, &l) != nil {
				continue
			}
			switch l.Msg {
			case "listening":
				n.listening[l.What] = l.Addr
			case "ready":
				return nil
			}
		}
		if !n.proc.Running() {
			n.s.t.Fatalf("%s has ended: %v", n.name, n.proc.Err)
		}
		return errors.New("it has not said so")
	})
	n.base = "http://" + n.listening["admin"]
}

func (n *node) kill() { n.proc.Kill() }

// ended is the condition that the process has ended.
func (n *node) ended() error {
	if n.proc.Running() {
		return fmt.Errorf("%s still runs", n.name)
	}
	return nil
}

func (n *node) freeze() { n.proc.Freeze() }
func (n *node) thaw()   { n.proc.Thaw() }

// restart starts the node again, at the same addresses, and waits until it is up.
func (n *node) restart() {
	n.s.t.Helper()
	n.start()
	n.ready()
}

// stop asks the node to end in good order and waits for it.
func (n *node) stop() {
	n.s.t.Helper()
	n.proc.Signal(syscall.SIGTERM)
	n.s.eventually(40*time.Second, n.name+" has stopped", n.ended)
	if n.proc.Err != nil {
		n.s.t.Errorf("%s was asked to end in good order, and did not: %v", n.name, n.proc.Err)
	}
}

// drain empties a node by the command that an operator has, asked of another one, and
// returns how long that took.
func (n *node) drain(through *node, args ...string) time.Duration {
	n.s.t.Helper()
	n.s.note("weir drain %s", n.name)
	began := time.Now()
	n.command(append([]string{"drain", n.name, "--timeout", "30s", "--admin", through.base, "--token", token}, args...)...)
	took := time.Since(began)
	n.s.note("%s is drained after %v", n.name, took.Round(time.Millisecond))
	return took
}

func (n *node) command(args ...string) {
	n.s.t.Helper()
	binary, err := weirBinary()
	if err != nil {
		n.s.t.Fatal(err)
	}
	if out, err := exec.Command(binary, args...).CombinedOutput(); err != nil {
		n.s.t.Fatalf("weir %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// url is a stream at this node.
func (n *node) url(name string) string {
	return fmt.Sprintf("rtmp://%s/%s/%s", n.listening["rtmp"], app, name)
}
