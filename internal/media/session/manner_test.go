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
	pub, prompt, play := &netStream{publisher: sinkhole{}}, &netStream{publisher: sinkhole{}, prompt: true}, &netStream{}
	for _, tc := range []struct {
		what    string
		nc      net.Conn
		streams []*netStream
		feeds   int64 // other connections that publish
		want    manner
	}{
		{"nothing yet", &net.TCPConn{}, nil, 100, attended},
		{"a player", &net.TCPConn{}, []*netStream{play}, 0, parked},
		{"a player over TLS", &net.UnixConn{}, []*netStream{play}, 0, attended},
		{"a publisher of few", &net.TCPConn{}, []*netStream{pub}, manyFeeds - 2, attended},
		{"a publisher of many", &net.TCPConn{}, []*netStream{pub, pub}, manyFeeds, collected},
		{"a publisher over TLS", &net.UnixConn{}, []*netStream{pub}, manyFeeds, attended},
		{"one whose viewers get all at once", &net.TCPConn{}, []*netStream{pub, prompt}, manyFeeds, attended},
		{"one that does both", &net.TCPConn{}, []*netStream{pub, play}, manyFeeds, attended},
	} {
		s := NewServer(Options{})
		s.feeds.Store(tc.feeds)
		c := &conn{s: s, nc: tc.nc, streams: tc.streams}
		if got := c.manner(); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.what, got, tc.want)
		}
		s.cancel()
		s.parker.close()
	}
}
