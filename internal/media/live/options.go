package live

import (
	"runtime"
	"time"

	"weir/internal/stream"
)

// Options of a [Hub]. A zero field has its default.
type Options struct {
	// Pumps is the number of pumps. Default: GOMAXPROCS. More only adds thread
	// switches, fewer leaves a core without a share of the viewers.
	Pumps int
	// MaxLatency bounds how long a pump may hold bytes back to send them
	// together. Default: DefaultMaxLatency.
	MaxLatency time.Duration
	// Latency says how the viewers of a stream are served; it is asked once a stream.
	// Nil: all within MaxLatency.
	Latency func(stream.Name) Latency
	// RetainTime and RetainBytes bound what is kept of a stream for joiners.
	// Defaults: DefaultRetainTime, DefaultRetainBytes.
	RetainTime  time.Duration
	RetainBytes int
	// LagLimit is how old the next byte of a viewer may be before it is moved to
	// the newest key frame. Default: DefaultLagLimit.
	LagLimit time.Duration
	// StallLimit is how long a viewer may take no byte at all. Default: DefaultStallLimit.
	StallLimit time.Duration
	// SegmentBytes is the capacity of a segment of a log with many users. Default: DefaultSegmentBytes.
	SegmentBytes int
	// Observer is told of every drop, skip and end.
	Observer Observer
}

// Latency is how the viewers of a stream are served.
type Latency struct {
	// Max bounds how long bytes are held back to send them together. 0:
	// Options.MaxLatency.
	Max time.Duration
	// Low sends messages as they come, LowLatency at the latest. What gathers while
	// a viewer's network is busy the kernel sends together (Nagle's algorithm): a
	// packet a message costs three times as much.
	Low bool
}

// latency is what a stream has, with defaults.
func (o *Options) latency(name stream.Name) (l Latency) {
	if o.Latency != nil {
		l = o.Latency(name)
	}
	def(&l.Max, o.MaxLatency)
	if l.Low {
		l.Max = min(l.Max, LowLatency)
	}
	return l
}

// Observer is how a hub reports what it did. Nil functions are not called.
type Observer struct {
	// Count reports n occurrences of a reason on a stream. It is called by
	// publishers (with the stream locked) and by pumps: it must not block and
	// must not call into this package.
	Count func(name stream.Name, reason Reason, n int)
}

const (
	// DefaultMaxLatency. Why not smaller: at 1,000 viewers a core it is batching
	// that pays for the system calls (a write every 100 ms costs a sixth of a
	// write per message). Why not larger: it adds to everybody's latency.
	DefaultMaxLatency = 100 * time.Millisecond
	// LowLatency is what a busy pump may hold back with Latency.Low. Why not smaller:
	// walking 1,000 viewers takes as long. Why not larger: the walk comes on top, and 10 ms
	// is what is promised.
	LowLatency = 5 * time.Millisecond
	// DefaultRetainTime. Why not smaller: encoders are run with key frames every
	// 10 s. Why not larger: a joiner would start that far behind.
	DefaultRetainTime = 10 * time.Second
	// DefaultRetainBytes: 10 s at 13 Mb/s.
	DefaultRetainBytes = 16 << 20
	// DefaultLagLimit. Why not smaller: a Wi-Fi pause of a second is common and
	// heals by itself. Why not larger: it is unread memory, and latency that
	// the viewer never gets back.
	DefaultLagLimit = 2 * time.Second
	// DefaultStallLimit: longer than any pause that TCP recovers from usefully.
	DefaultStallLimit = 10 * time.Second
	// DefaultSegmentBytes. Why not smaller: one write cannot cross a segment's
	// end, and each costs an index of 24 KB. Why not larger: every stream has at
	// least one, and retention frees whole segments.
	DefaultSegmentBytes = 256 << 10
)

const (
	// MaxHeaderBytes bounds the headers of one stream: each joiner is sent them all.
	MaxHeaderBytes = 1 << 20
	// MaxControlBytes bounds what Viewer.Send may have waiting. Control messages
	// are tens of bytes; a peer that provokes answers and reads none is cut here.
	MaxControlBytes = 64 << 10
	// maxPayload is the longest payload of an RTMP message or FLV tag: 24 bits.
	maxPayload = 1<<24 - 1
	// bytesPerEntry sizes a segment's index. Audio of 64 kb/s makes messages of 200
	// bytes: an entry for each 256 loses little of the segment.
	bytesPerEntry = 256
	minEntries    = 8
	// A log with fewer users than fewUsers has segments of a smallSegment-th: what is
	// kept is a group of pictures and up to a segment more, per stream. Why not for all:
	// the end of a segment costs each viewer a write. Why not smaller: at 1.1 Mb/s they
	// last half a second.
	fewUsers     = 8
	smallSegment = 4
	// maxUnsent bounds what a viewer's socket holds beyond what is under way. Why not less: a
	// pass of 20 Mb/s every 100 ms is 250 KB, and who does not take it whole has to be
	// tried again. Why not more: it is kernel memory of each viewer that reads nothing (4 MB
	// where the buffer is the bound), and what a slow one gets from it is stale: LagLimit
	// judges only what the socket has not taken.
	maxUnsent = 256 << 10
	// writesPerVisit bounds how long one viewer keeps a pump: 4 segments.
	writesPerVisit = 4
	// A socket that would block is tried again after minRetry, then twice as
	// long each time that it took nothing, up to maxRetry. Why not longer: at 100 ms a 2.5 Mb/s viewer
	// needs 31 KB of socket buffer, less than what every kernel gives.
	minRetry = 10 * time.Millisecond
	maxRetry = 100 * time.Millisecond
)

func (o Options) withDefaults() Options {
	def(&o.Pumps, runtime.GOMAXPROCS(0))
	def(&o.MaxLatency, DefaultMaxLatency)
	def(&o.RetainTime, DefaultRetainTime)
	def(&o.RetainBytes, DefaultRetainBytes)
	def(&o.LagLimit, DefaultLagLimit)
	def(&o.StallLimit, DefaultStallLimit)
	def(&o.SegmentBytes, DefaultSegmentBytes)
	return o
}

func def[T ~int | ~int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
