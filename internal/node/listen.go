package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// ListenError says why an address cannot be listened on, in words for the
// operator who wrote it.
type ListenError struct {
	Addr  string
	Owner string // the process that has the port, "nginx (pid 812)"; empty: not visible
	Err   error
}

func (e *ListenError) Error() string {
	_, port, _ := net.SplitHostPort(e.Addr)
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE) && e.Owner != "":
		return fmt.Sprintf("port %s is in use by %s: end it, or listen on another port", port, e.Owner)
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return fmt.Sprintf("port %s is in use by a process that this user cannot see: end it, or listen on another port", port)
	case errors.Is(e.Err, syscall.EACCES):
		return fmt.Sprintf("port %s needs privileges: use a port from 1024 up, or give the capability CAP_NET_BIND_SERVICE", port)
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("%s is not an address of this machine: listen on one that is, or on :%s", e.Addr, port)
	}
	return fmt.Sprintf("cannot listen on %s: %v", e.Addr, cause(e.Err))
}

func (e *ListenError) Unwrap() error { return e.Err }

// Listen is net.Listen whose error is a [*ListenError].
func Listen(network, addr string) (net.Listener, error) {
	l, err := listener.Listen(context.Background(), network, addr)
	if err == nil {
		return l, nil
	}
	le := &ListenError{Addr: addr, Err: err}
	if at, ok := tried(err); ok && errors.Is(err, syscall.EADDRINUSE) {
		le.Owner = portOwner(os.DirFS("/proc"), at.Addr(), at.Port())
	}
	return nil, le
}

// tried is the address that a failed net.Listen has made of names and of what was left out.
func tried(err error) (netip.AddrPort, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok {
		return netip.AddrPort{}, false
	}
	at, ok := op.Addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	return at.AddrPort(), true
}

// cause returns the innermost error: package net's own text repeats the address.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
