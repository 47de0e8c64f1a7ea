package live

import (
	"io"
	"net"
	"testing"
)

// pair returns the two ends of a loopback connection.
func pair(t testing.TB) (server, client *net.TCPConn) {
	t.Helper()
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.DialTCP("tcp4", nil, ln.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	server, err = ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func TestP4SocketSinkNeverWaits(t *testing.T) {
	server, client := pair(t)
	s, err := NewSocketSink(server)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<20)
	for i := range b {
		b[i] = byte(i >> 8)
	}
	total := 0
	for {
		n, err := s.TryWrite(b[total%len(b):])
		if err != nil {
			t.Fatal(err)
		}
		if total += n; n == 0 {
			break // the peer reads nothing, and we are still here
		}
	}
	server.CloseWrite()
	got, err := io.ReadAll(client)
	if err != nil || len(got) != total {
		t.Fatalf("%d of %d bytes, %v", len(got), total, err)
	}
	for i, c := range got {
		if c != b[i%len(b)] {
			t.Fatalf("byte %d differs", i)
		}
	}
	if _, err := s.TryWrite(b); err == nil {
		t.Error("no error after the write side was closed")
	}
	server.Close()
	if _, err := s.TryWrite(b); err == nil {
		t.Error("no error on a closed connection")
	}
}

func TestSocketSinkAllocatesNothing(t *testing.T) {
	server, client := pair(t)
	s, err := NewSocketSink(server)
	if err != nil {
		t.Fatal(err)
	}
	b, in := make([]byte, 1000), make([]byte, 1000)
	n := testing.AllocsPerRun(200, func() {
		if _, err := s.TryWrite(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, in); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a write", n)
	}
}
