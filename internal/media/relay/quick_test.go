//go:build linux

package relay

import (
	"net"
	"testing"
)

// Only a plain TCP connection is hurried, and only while it is new.
func TestOnlyNewTCPConnectionsAcknowledgeAtOnce(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if quickly(a) != nil {
		t.Error("a pipe is no TCP connection")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	each := quickly(nc)
	if each == nil {
		t.Fatal("not hurried")
	}
	if n := testing.AllocsPerRun(10*setUpReads, each); n != 0 {
		t.Errorf("%v allocations a read", n)
	}
}
