package agent

import (
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, tc := range []struct {
		s    Status
		want string
	}{
		{Status{}, "up ready 100%\n"},
		{Status{Share: 0.37}, "up ready 63%\n"},
		{Status{Share: 0.999}, "up ready 1%\n"}, // 0 % would be a drain
		{Status{Share: 7}, "up ready 1%\n"},
		{Status{Share: -1}, "up ready 100%\n"},
		{Status{Share: math.NaN()}, "up ready 100%\n"},
		{Status{Share: 0.5, Drain: true}, "up drain\n"},
		{Status{Drain: true, Down: "another process\nup ready 100% #took; the name ключ" + strings.Repeat("x", 200)}, "down #" + ("another process up ready 100%  took; the name     " + strings.Repeat("x", 80))[:80] + "\n"},
	} {
		if got := tc.s.Line(); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.s, got, tc.want)
		}
	}
}

func TestWhoConnectsGetsALineWhateverItSays(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- Serve(l, func() Status { return Status{Share: 0.25} }) }()
	dial := func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return nc
	}
	for _, says := range []string{"", "media1\n", strings.Repeat("x", 64<<10)} {
		nc := dial()
		if says != "" {
			go nc.Write([]byte(says))
		}
		line := make([]byte, 13)
		if _, err := io.ReadFull(nc, line); err != nil || string(line) != "up ready 75%\n" {
			t.Errorf("%.10q: %q %v", says, line, err)
		}
		nc.Close()
	}
	var idle []net.Conn
	for range 3 * maxConns { // those that stay after their answer
		idle = append(idle, dial())
	}
	answered := 0
	for _, nc := range idle {
		line, _ := io.ReadAll(nc)
		if string(line) == "up ready 75%\n" {
			answered++
		}
		nc.Close()
	}
	if answered < maxConns/2 {
		t.Errorf("%d of %d that stay were answered", answered, len(idle))
	}
	l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
