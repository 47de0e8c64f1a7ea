package splice

import (
	"syscall"
	"time"
	"unsafe"
)

// A server that leaves Nagle's algorithm on, as nginx-rtmp does, holds back what is less
// than a packet until it has an acknowledgement of what it has sent. The kernel
// acknowledges what is read at once, in the reader's time, so a reader that hurries asks for the next
// small packet with each read; and one that comes by the clock has what the server
// held back sent behind its back, where it waits for the next visit.
//
// So a source that sends often is first left to the timer of delayed acknowledgements:
// everything of the last 40 ms then comes in one packet and is moved at once. Nothing else need
// be done for such a server, and nothing waits twice. One without Nagle's algorithm
// sends as often as before, and goes into the lane.

// patienceMin is the least Options.MaxAdded at which acknowledgements wait: the timer's 40 ms
// and a tick of it, and gatherTime.
const patienceMin = 50 * time.Millisecond

// bePatient begins to acknowledge later what a source sends; false if that is done already, or
// takes too long.
func (l *loop) bePatient(f *flow) bool {
	if f.patient || l.o.MaxAdded < patienceMin {
		return false
	}
	f.patient = true
	return true
}

// ackLater keeps the next read from acknowledging what it takes. The timer that then does
// so undoes it.
func ackLater(fd int) {
	var quick int32
	syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, uintptr(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, uintptr(unsafe.Pointer(&quick)), unsafe.Sizeof(quick), 0)
}
