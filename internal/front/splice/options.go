package splice

import (
	"net"
	"runtime"
	"sync/atomic"
	"time"
)

// Options configure a Joiner. The zero value is ready.
type Options struct {
	// Loops bounds the loops (GOMAXPROCS).
	Loops int
	// Pipes bounds the pipes that sessions hold (DefaultPipes).
	Pipes int
	// MaxAdded bounds how long bytes may wait here for more to come. 0: they do not.
	MaxAdded time.Duration
	// Copy moves everything through memory: for comparisons, and for systems that
	// do not splice.
	Copy bool
}

func (o Options) withDefaults() Options {
	if o.Loops <= 0 {
		o.Loops = runtime.GOMAXPROCS(0)
	}
	if o.Pipes <= 0 {
		o.Pipes = DefaultPipes
	}
	return o
}

// gather is the pause of a loop between two looks.
func (o *Options) gather() time.Duration { return min(gatherTime, o.MaxAdded/2) }

// Pair is two connections to be joined.
type Pair struct {
	Client, Server *net.TCPConn
	// ToClient and ToServer are sent first.
	ToClient, ToServer []byte
	// Stall ends the session when an end takes nothing for so long although there
	// is something for it. 0: no limit.
	Stall time.Duration
	// ClientIdle ends it when the client says nothing for so long. 0: no limit.
	ClientIdle time.Duration
	// Count gets every byte too, beside the session's own account. Either may be nil.
	CountToClient, CountToServer *atomic.Int64
	// Ended is told how it ended, once, on a loop's goroutine.
	Ended func(Ended)
}
