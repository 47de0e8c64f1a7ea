package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// cluster is the demo's processes.
type cluster struct {
	exe, dir string
	failed   chan error // a node that ended by itself

	mu       sync.Mutex
	stopping bool
	procs    []*process

	front   *process
	origins []*process
	edges   []*process
}

// process is one node.
type process struct {
	name                     string
	cmd                      *exec.Cmd
	rtmp, http, admin, store string // host:port, as the node said
	done                     chan struct{}
	logPath                  string
}

// start starts the nodes: the first origin holds the store, the others join it.
func (c *cluster) start(ctx context.Context) error {
	first, err := c.node(ctx, "origin-1", "origin", "--store", "embedded", "--store-listen", "127.0.0.1:0",
		"--store-dir", filepath.Join(c.dir, "store"), "--rtmp", "127.0.0.1:0", "--http", "", "--admin", "127.0.0.1:0")
	if err != nil {
		return err
	}
	type start struct {
		to   **process
		name string
		args []string
	}
	c.origins, c.edges = []*process{first, nil}, make([]*process, 2)
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	for _, s := range []start{
		{&c.front, "front-1", []string{"front", "--rtmp", standard(1935), "--http", "", "--admin", standard(8081)}},
		{&c.origins[1], "origin-2", []string{"origin", "--rtmp", "127.0.0.1:0", "--http", "", "--admin", "127.0.0.1:0"}},
		{&c.edges[0], "edge-1", []string{"edge", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"}},
		{&c.edges[1], "edge-2", []string{"edge", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"}},
	} {
		wg.Go(func() {
			p, err := c.node(ctx, s.name, s.args[0], append(s.args[1:], "--store", "etcd", "--store-endpoints", first.store)...)
			*s.to = p
			errs <- err
		})
	}
	wg.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// standard is the loopback address with the standard port, or with a free one
// where the standard one is taken.
func standard(port int) string {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "127.0.0.1:0"
	}
	ln.Close()
	return addr
}

// node starts one process and returns when it says that it is ready.
func (c *cluster) node(ctx context.Context, name, roles string, args ...string) (*process, error) {
	p := &process{name: name, done: make(chan struct{}), logPath: filepath.Join(c.dir, name+".log")}
	args = append([]string{"serve", "--name", name, "--roles", roles, "--log-format", "json"}, args...)
	p.cmd = exec.Command(c.exe, args...)
	// A group of its own, so that Ctrl-C at the terminal ends the nodes in our
	// order; and it dies with us even if we are killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	logFile, err := os.Create(p.logPath)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	c.mu.Lock()
	if c.stopping {
		c.mu.Unlock()
		return nil, context.Canceled
	}
	err = p.cmd.Start()
	if err == nil {
		c.procs = append(c.procs, p)
	}
	c.mu.Unlock()
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	ready := make(chan struct{})
	tail := make(chan string, 1)
	go func() {
		tail <- p.follow(r, logFile, ready)
	}()
	go func() {
		err := p.cmd.Wait()
		close(p.done)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.stopping {
			c.failed <- fmt.Errorf("%s ended by itself (%v); its last words:\n%s", name, err, <-tail)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-ready:
		return p, nil
	case err := <-c.failed:
		return nil, err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s did not get ready: %w", name, ctx.Err())
	}
}

// follow copies a node's log to its file, reads the addresses out of it, and
// returns its last lines when it ends.
func (p *process) follow(r io.ReadCloser, to io.WriteCloser, ready chan<- struct{}) string {
	defer r.Close()
	defer to.Close()
	var last [][]byte
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		to.Write(append(bytes.Clone(lines.Bytes()), '\n'))
		last = append(last, bytes.Clone(lines.Bytes()))
		last = last[max(0, len(last)-5):]
		var line struct{ Msg, What, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch {
		case line.Msg == "ready" && ready != nil:
			close(ready)
			ready = nil
		case line.Msg == "listening":
			if to := map[string]*string{"rtmp": &p.rtmp, "http": &p.http, "admin": &p.admin, "store": &p.store}[line.What]; to != nil {
				*to = line.Addr
			}
		}
	}
	return string(bytes.Join(last, []byte("\n")))
}

// stop ends the nodes in good order, the store's last.
func (c *cluster) stop() {
	c.mu.Lock()
	c.stopping = true
	procs := c.procs
	c.mu.Unlock()
	for i := len(procs) - 1; i >= 0; i-- {
		procs[i].cmd.Process.Signal(syscall.SIGTERM)
		if i > 1 {
			continue // all but the one with the store at once
		}
		limit := time.After(10 * time.Second)
		for _, p := range procs[i:] {
			select {
			case <-p.done:
			case <-limit:
				p.cmd.Process.Kill()
				<-p.done
			}
		}
	}
}
