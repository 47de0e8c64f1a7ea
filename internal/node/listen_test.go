package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestListenNamesThePortsOwner(t *testing.T) {
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_, err = Listen("tcp", l.Addr().String())
	var le *ListenError
	if !errors.As(err, &le) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("err = %v", err)
	}
	for _, want := range []string{"port " + port + " is in use by", fmt.Sprintf("(pid %d)", os.Getpid())} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestListenErrorsSayWhatToDo(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.EADDRINUSE:    "port 80 is in use by a process that this user cannot see: end it, or listen on another port",
		syscall.EACCES:        "port 80 needs privileges",
		syscall.EADDRNOTAVAIL: "192.0.2.1:80 is not an address of this machine",
		syscall.EMFILE:        "cannot listen on 192.0.2.1:80: too many open files",
	} {
		err := &ListenError{Addr: "192.0.2.1:80", Err: &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", errno)}}
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %q", errno, err)
		}
	}
	if _, err := Listen("tcp", "192.0.2.1:0"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("err = %v", err)
	}
}
