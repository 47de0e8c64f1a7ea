package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"weir/internal/proctest"
)

// program is a server or a proxy that runs.
type program struct {
	addr string
	pid  int
	stop func()
}

// stopTime is how long a program has to end in good order.
const stopTime = 5 * time.Second

// start starts a program, which ends with stop or with this process.
func start(cmd *exec.Cmd) (stop func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	return func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(stopTime):
			cmd.Process.Kill()
			<-ended
		}
	}, nil
}

// listening waits until addr takes connections.
func listening(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// fixed starts a program that listens on an address that its configuration names.
func (p *plan) fixed(ctx context.Context, conf func(addr string) string, command ...string) (*program, error) {
	addr, err := proctest.FreeAddr()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(p.dir, "*.conf")
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteString(conf(addr)); err != nil {
		return nil, err
	}
	f.Close()
	path, err := exec.LookPath(command[0])
	if err != nil {
		path = filepath.Join("/usr/sbin", command[0]) // not in everybody's PATH
	}
	cmd := exec.Command(path, append(command[1:], f.Name())...)
	stop, err := start(cmd)
	if err != nil {
		return nil, err
	}
	if err := listening(ctx, addr); err != nil {
		stop()
		return nil, fmt.Errorf("%s: %w", command[0], err)
	}
	return &program{addr, cmd.Process.Pid, stop}, nil
}

const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

// nginx is nginx-rtmp as Debian packs it, in one process.
func (p *plan) nginx(ctx context.Context, more string) (*program, error) {
	return p.fixed(ctx, func(addr string) string {
		return fmt.Sprintf(`load_module %s;
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000;
error_log /dev/null crit; pid %s/nginx-%s.pid;
events { worker_connections 15000; }
rtmp { server { listen %s; chunk_size 4096; access_log off; application live { live on; %s } } }
`, nginxModule, p.dir, addr, addr, more)
	}, "nginx", "-p", p.dir, "-c")
}

// haproxy passes TCP on, with splice.
func (p *plan) haproxy(ctx context.Context, backend string) (*program, error) {
	return p.fixed(ctx, func(addr string) string {
		return fmt.Sprintf(`global
  maxconn 4000
  nbthread %d
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen rtmp
  bind %s
  server backend %s
`, p.haproxyThreads, addr, backend)
	}, "haproxy", "-db", "-f")
}

// weirNode starts this tree's server with a configuration.
func (p *plan) weirNode(config map[string]any) (*program, error) {
	config["limits"] = map[string]any{"connections_per_address": 20000}
	config["http"] = map[string]any{"listen": "127.0.0.1:0"}
	config["admin"] = map[string]any{"listen": "127.0.0.1:0"}
	raw, err := json.Marshal(config) // which is YAML
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(p.dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	f.Write(raw)
	f.Close()
	cmd := exec.Command(p.weir, "serve", "-c", f.Name(), "--rtmp", "127.0.0.1:0", "--log-format", "json")
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	return announced(cmd, log, func(line string) (addr string, ready bool) {
		var entry struct{ Msg, What, Addr string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			return "", false
		}
		if entry.What == "rtmp" {
			addr = entry.Addr
		}
		return addr, entry.Msg == "ready"
	})
}

// command is a program that prints its address.
func command(line, backend string) (*program, error) {
	words := append(strings.Fields(line), backend)
	cmd := exec.Command(words[0], words[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return announced(cmd, out, func(line string) (string, bool) { return line, true })
}

// announced starts a program that says where it listens, and reads until it is
// ready.
func announced(cmd *exec.Cmd, said io.Reader, read func(line string) (addr string, ready bool)) (*program, error) {
	stop, err := start(cmd)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(said)
	var at, last string
	for lines.Scan() {
		last = lines.Text()
		addr, ready := read(last)
		if addr != "" {
			at = addr
		}
		if ready {
			go io.Copy(io.Discard, said)
			return &program{at, cmd.Process.Pid, stop}, nil
		}
	}
	stop()
	return nil, fmt.Errorf("%s ended before it was ready: %s", cmd.Path, last)
}
