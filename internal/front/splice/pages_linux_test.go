package splice

import (
	"syscall"
	"testing"
)

// Small visits are copied, larger ones go by pages.
func TestWhatIsMovedByPages(t *testing.T) {
	for bytes, pages := range map[int]bool{1 << 10: false, 6 << 10: false, 14 << 10: true, 60 << 10: true} {
		l, err := newLoop(&Options{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		server, from := tcpPair(t)
		client, to := tcpPair(t)
		f := &flow{s: &Session{loop: l}, src: &end{}, dst: &end{}}
		if f.src.fd, err = detach(server); err != nil {
			t.Fatal(err)
		}
		if f.dst.fd, err = detach(client); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			from.Write(make([]byte, bytes))
			for left := bytes; left > 0; {
				got, bad := l.move(f)
				if bad != nil {
					t.Fatal(bad.err)
				}
				left -= got
			}
			for left := bytes; left > 0; {
				n, err := to.Read(make([]byte, left))
				if err != nil {
					t.Fatal(err)
				}
				left -= n
			}
		}
		if used := len(l.pipes.free) > 0; used != pages {
			t.Errorf("visits of %d bytes: by pages %v, want %v", bytes, used, pages)
		}
		syscall.Close(f.src.fd)
		syscall.Close(f.dst.fd)
		l.pipes.close()
		l.poll.close()
	}
}
