package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// stopTime is how long a server has to end in good order.
const stopTime = 5 * time.Second

// child starts a program that ends with stop, or, whatever happens, with this
// process. Its standard input is a pipe that stays open until then.
func child(cmd *exec.Cmd) (stop func(), err error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
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
		in.Close()
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(stopTime):
			cmd.Process.Kill()
			<-ended
		}
	}, nil
}

// firstLine reads r until a line satisfies found, and discards the rest in the background.
func firstLine(r io.Reader, found func(line string) bool) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if found(lines.Text()) {
			go io.Copy(io.Discard, r)
			return nil
		}
	}
	return fmt.Errorf("it ended before it was ready: %w", lines.Err())
}

// listening waits until addr takes connections.
func listening(ctx context.Context, addr string) error {
	for range time.Tick(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if ctx.Err() != nil {
			return err
		}
	}
	return os.ErrDeadlineExceeded
}
