package agent

import (
	"errors"
	"io"
	"net"
	"time"
)

const (
	// maxConns at a time; more are closed without an answer, which HAProxy takes for none. Why not fewer: each
	// balancer asks each node once in seconds.
	maxConns = 64
	// maxTime of one connection: the answer fits any socket's buffer.
	maxTime = 2 * time.Second
	// maxSent of what a balancer may say first (agent-send) is read, so that closing does not reset the answer away.
	maxSent = 4 << 10
	// acceptPause after an accept that failed, for want of descriptors.
	acceptPause = 100 * time.Millisecond
)

// Serve answers on l until it is closed, and returns net.ErrClosed then.
func Serve(l net.Listener, now func() Status) error {
	free := make(chan struct{}, maxConns)
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		select {
		case free <- struct{}{}:
			go func() {
				answer(nc, now().Line())
				<-free
			}()
		default:
			nc.Close()
		}
	}
}

func answer(nc net.Conn, line string) {
	defer nc.Close()
	if nc.SetDeadline(time.Now().Add(maxTime)) != nil {
		return
	}
	if _, err := io.WriteString(nc, line); err != nil {
		return
	}
	if half, ok := nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, nc, maxSent) // to its end: the balancer has the line then
	}
}
