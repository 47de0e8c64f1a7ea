package proctest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// FreeAddr's ports: above those of well-known programs, below Linux's range for outgoing
// connections (net.ipv4.ip_local_port_range).
const (
	firstPort = 20000
	portCount = 12000
)

var taken struct {
	sync.Mutex
	next  int              // of the ports, the first to try
	marks []net.PacketConn // held, for the runtime closes a connection that nobody holds
}

func init() { taken.next = rand.IntN(portCount) }

// FreeAddr returns an address of 127.0.0.1, as HOST:PORT, that nobody listens on, for a program that
// cannot choose a port itself or has to keep it over a restart. Nobody else gets it from FreeAddr, in
// this process or in another of this machine, before this process ends.
//
// The kernel does not give the port away either: to a client that keeps dialling a dead port, it
// would in the end give that very port, and the client would connect to itself.
func FreeAddr() (string, error) {
	taken.Lock()
	defer taken.Unlock()
	for range portCount {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+taken.next))
		taken.next = (taken.next + 1) % portCount
		// The TCP port has to be free, so the UDP port of the same number is the mark that it is given.
		mark, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			taken.marks = append(taken.marks, mark)
			return addr, nil
		}
		mark.Close()
	}
	return "", fmt.Errorf("no port from %d to %d is free on 127.0.0.1", firstPort, firstPort+portCount-1)
}

// Addr is FreeAddr for a test (a testing.TB), which it ends if there is none.
func Addr(t interface {
	Helper()
	Fatal(args ...any)
}) string {
	t.Helper()
	addr, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
