package proctest

import (
	"net"
	"runtime"
	"testing"
)

func TestFreeAddrIsGivenToOne(t *testing.T) {
	t.Parallel()
	given := map[string]bool{}
	for range 50 {
		addr, err := FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		if given[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		given[addr] = true
		runtime.GC() // closes what nobody holds
		// What another process would find.
		if c, err := net.ListenPacket("udp", addr); err == nil {
			c.Close()
			t.Fatalf("%s bears no mark", addr)
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatalf("cannot listen on what is free: %v", err)
		}
		l.Close()
	}
}
