package session

import (
	"net"
	"testing"

	"weir/rtmp"
)

type sinkhole struct{}

func (sinkhole) Write(*rtmp.Message) error { return nil }
func (sinkhole) Close()                    {}

// Who is read how, while there is nothing to read.
func TestManners(t *testing.T) {
	pub := func(id uint32) *netStream { return &netStream{id: id, publisher: sinkhole{}} }
	prompt := func(id uint32) *netStream { return &netStream{id: id, publisher: sinkhole{}, prompt: true} }
	play := func(id uint32) *netStream { return &netStream{id: id} }
	for _, tc := range []struct {
		what    string
		nc      net.Conn
		streams []*netStream
		feeds   int64 // other connections that publish
		want    manner
	}{
		{"nothing yet", &net.TCPConn{}, nil, 100, attended},
		{"a player", &net.TCPConn{}, []*netStream{play(1)}, 0, parked},
		{"a player over TLS", &net.UnixConn{}, []*netStream{play(1)}, 0, attended},
		{"a publisher of few", &net.TCPConn{}, []*netStream{pub(1)}, manyFeeds - 2, attended},
		{"a publisher of many", &net.TCPConn{}, []*netStream{pub(1), pub(2)}, manyFeeds, collected},
		{"a publisher over TLS", &net.UnixConn{}, []*netStream{pub(1)}, manyFeeds, attended},
		{"one whose viewers get all at once", &net.TCPConn{}, []*netStream{pub(1), prompt(2)}, manyFeeds, attended},
		{"one that does both", &net.TCPConn{}, []*netStream{pub(1), play(2)}, manyFeeds, attended},
	} {
		s := NewServer(Options{})
		s.feeds.Store(tc.feeds)
		c := &conn{s: s, nc: tc.nc}
		for _, st := range tc.streams {
			c.streams.add(st)
		}
		if got := c.manner(); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.what, got, tc.want)
		}
		s.cancel()
		s.parker.close()
	}
}
