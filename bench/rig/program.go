package rig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"weir/internal/proctest"
)

const (
	// startTime is how long a program has to be ready, stopTime to end in good order.
	startTime = 15 * time.Second
	stopTime  = 5 * time.Second
	// look is how often what a program does not tell is looked at.
	look = 20 * time.Millisecond
)

// Program is a program that runs.
type Program struct{ *proctest.Process }

// Start starts a program; it need not be ready.
func Start(argv ...string) (*Program, error) {
	p, err := proctest.Start(new(proctest.Log), argv...)
	if err != nil {
		return nil, err
	}
	return &Program{p}, nil
}

// Listening starts a program and waits until it takes connections at addr.
func Listening(ctx context.Context, addr string, argv ...string) (*Program, error) {
	p, err := Start(argv...)
	if err != nil {
		return nil, err
	}
	return p, p.await(ctx, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Configured starts a program that reads a file, its last argument, and waits until it listens at the address that
// the file names.
func Configured(ctx context.Context, dir string, conf func(addr string) string, argv ...string) (p *Program, addr string, err error) {
	if addr, err = proctest.FreeAddr(); err != nil {
		return nil, "", err
	}
	path, err := write(dir, []byte(conf(addr)))
	if err != nil {
		return nil, "", err
	}
	p, err = Listening(ctx, addr, append(argv, path)...)
	return p, addr, err
}

// write puts what a program is to read into a file of its own.
func write(dir string, content []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, "*.conf")
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = f.Write(content)
	return f.Name(), err
}

// Saying starts a program and reads its lines until one of them says that it is ready.
func Saying(ctx context.Context, ready func(line []byte) bool, argv ...string) (*Program, error) {
	p, err := Start(argv...)
	if err != nil {
		return nil, err
	}
	read := 0
	return p, p.await(ctx, func() bool {
		said := p.Log.From(read)
		read += len(said)
		for line := range bytes.Lines(said) {
			if ready(bytes.TrimSpace(line)) {
				return true
			}
		}
		return false
	})
}

// await looks until the program is ready. One that is not in time, or ends, is stopped.
func (p *Program) await(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
			continue
		case <-p.Done:
		case <-ctx.Done():
		}
		p.Stop()
		return fmt.Errorf("%s was not ready (%v): %s", filepath.Base(p.Path()), p.Err, strings.TrimSpace(p.Log.Tail(500)))
	}
	return nil
}

// Stop ends the program in good order, or without.
func (p *Program) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.Done:
	case <-time.After(stopTime):
		p.Kill()
	}
}

// Path finds a program, also where those of the system are, which is not in everybody's PATH.
func Path(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}
