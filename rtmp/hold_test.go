package rtmp

import (
	"io"
	"net"
	"testing"
)

// While a connection is held its descriptor stays open, so that its number cannot
// become another's; the peer sees the end at once.
func TestHoldKeepsTheDescriptor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(nc, Options{})
	if !c.Hold() {
		t.Fatal("an open connection cannot be held")
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer reads %v", err)
	}
	if c.Hold() {
		t.Error("a closed connection was held")
	}
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(uintptr) {}); err != nil {
		t.Error("closed while held:", err)
	}
	c.Release()
	if err := raw.Control(func(uintptr) {}); err == nil {
		t.Error("open after the release")
	}
}
