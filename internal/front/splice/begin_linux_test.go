package splice

import (
	"bytes"
	"sync/atomic"
	"syscall"
	"testing"
)

// What goes first goes without the loop, as far as the socket takes it; the rest is left for the loop, and
// what is counted has been taken.
func TestWhatGoesFirstDoesNotWaitForTheLoop(t *testing.T) {
	for _, size := range []int{0, 100, 8 << 20} {
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		first := bytes.Repeat([]byte("first"), size/5)
		var count atomic.Int64
		f := flow{dst: &end{fd: fds[0]}, rest: first, count: &count}
		f.begin()
		sent := int(f.bytes.Load())
		if sent+len(f.rest) != len(first) || int(count.Load()) != sent || sent == 0 && size > 0 || size == 100 && f.rest != nil {
			t.Errorf("%d bytes: %d sent, %d counted, %d left", size, sent, count.Load(), len(f.rest))
		}
		got := make([]byte, 100)
		if n, _ := recv(fds[1], got); n != min(size, 100) || !bytes.Equal(got[:n], first[:n]) {
			t.Errorf("%d bytes: %d came", size, n)
		}
		syscall.Close(fds[0])
		syscall.Close(fds[1])
	}
}
