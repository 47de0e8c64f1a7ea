package rtmp

import (
	"time"

	"weir/amf"
)

// Every limit on what a peer may make this package hold or do. Each constant
// names its unit, the abuse it stops and the [Reason] it is refused with.
const (
	// MaxMessageBytes bounds one message (message-too-large). Stops: a length
	// of 16 MiB on every chunk stream. Why not smaller: a 4K intra frame at high
	// quality passes 4 MiB. Why not larger: two of them may be in flight.
	MaxMessageBytes = 8 << 20

	// MaxCommandBytes bounds a command or shared object (message-too-large).
	// Stops: long AMF parses. Why not smaller: connect objects with tokens and
	// play2 parameters pass 16 KiB.
	MaxCommandBytes = 64 << 10

	// MaxPreAuthBytes bounds any message until the caller raises the limit with
	// SetMaxMessage (message-too-large). Stops: memory for strangers. Why not
	// smaller: signed tokens ride in connect.
	MaxPreAuthBytes = 16 << 10

	// MaxControlBytes bounds a message of types 1 to 6 (message-too-large). The
	// longest in use is 44 bytes (SWF verification).
	MaxControlBytes = 1 << 10

	// MaxChunkStreams bounds the chunk streams of a connection, in streams
	// (too-many-chunk-streams). Stops: 65,600 ids with a partial message each.
	// Why not smaller: relays spread their NetStreams over ids. Why not larger:
	// each costs a header state, and lookup is a scan.
	MaxChunkStreams = 64

	// PartialMessages bounds the bytes of unfinished messages, in multiples of
	// the message limit in force (too-many-partial-bytes). Two, because audio
	// may interleave with the largest video message.
	PartialMessages = 2

	// MaxChunkSize is the largest chunk size that means anything, in bytes: the
	// longest length that a message header can state (§5.4.1). A larger inbound
	// one is clamped to Limits.Message, which changes nothing on the wire: no
	// longer message is accepted. 0 or a set top bit is refused (bad-chunk-size).
	MaxChunkSize = 1<<24 - 1

	// DefaultInChunkSize is a peer's chunk size until it sets another (§5.4.1).
	DefaultInChunkSize = 128

	// DefaultChunkSize is the outbound chunk size that servers and clients of
	// this package announce. Large, because every chunk costs a header and a
	// copy at both ends; not larger, because 65,536 is the most that widespread
	// players accept.
	DefaultChunkSize = 65_536

	// MinChunkSize is the smallest outbound chunk size, in bytes. Control
	// messages then never need a second chunk.
	MinChunkSize = 128

	// ChunkWork is the budget against tiny chunks, in chunks (chunk-work). A
	// chunk costs one unit and earns 1/[ChunkWorkBytes] for each payload byte,
	// so chunks of 64 bytes and more are free for ever. Stops: one-byte chunks
	// and empty messages, which make a byte on the wire cost as much as 4 KiB
	// otherwise. Why not smaller: chunk size 1 is legal and must carry a whole
	// connect and publish; why not larger: it is spent in 3 ms of CPU.
	ChunkWork = 256 << 10
	// ChunkWorkBytes is the payload that pays for a chunk, in bytes.
	ChunkWorkBytes = 64
	// ChunkWorkPerSecond refills the budget of a [Conn], in chunks per second:
	// silent audio is six bytes, fifty times a second and stream.
	ChunkWorkPerSecond = 4096

	// DefaultWindowAck is the acknowledgement window announced to peers, bytes.
	DefaultWindowAck = 2_500_000

	// MinWindowAck is the smallest peer window that is honoured, in bytes: a
	// window of 1 would turn every byte into a 16-byte acknowledgement. 0 turns
	// acknowledgements off. There is no largest: it costs nothing.
	MinWindowAck = 1024

	// HandshakeTimeout is for the whole handshake (handshake-timeout). Stops: a
	// byte at a time. Absolute, not per read.
	HandshakeTimeout = 5 * time.Second

	// CommandTimeout is from the handshake to publish or play
	// (command-timeout). Stops: thousands of idle connections after connect.
	CommandTimeout = 10 * time.Second

	// WriteTimeout closes a peer that takes not one byte for this long
	// (write-stalled).
	WriteTimeout = 10 * time.Second

	// MaxNetStreams bounds the NetStreams of a client (too-many-streams). Stops:
	// createStream without end.
	MaxNetStreams = 8

	// MaxRefusals bounds the commands of a connection that are answered with an
	// error, in commands (too-many-bad-commands; too-many-streams if the last was
	// createStream). Stops: createStream a million times. Why not smaller: relays
	// with many streams may be refused now and then for days.
	MaxRefusals = 1000

	// MaxAMFDepth and MaxAMFValues bound one command's AMF, in nested values and
	// in values (bad-command).
	MaxAMFDepth  = 32
	MaxAMFValues = 1024
)

// Limits are the limits that a caller may set. A zero field means the constant
// named beside it.
type Limits struct {
	Message      int // MaxMessageBytes; the ceiling of SetMaxMessage
	PreAuth      int // MaxPreAuthBytes; what a Conn starts with
	Command      int // MaxCommandBytes
	ChunkStreams int // MaxChunkStreams
	ChunkWork    int // ChunkWork
	NetStreams   int // MaxNetStreams
	AMFDepth     int // MaxAMFDepth
	AMFValues    int // MaxAMFValues

	Handshake time.Duration // HandshakeTimeout; negative: the caller sets deadlines itself
	Commands  time.Duration // CommandTimeout; negative: none
	Write     time.Duration // WriteTimeout; negative: none
}

// withDefaults returns l with every zero field filled.
func (l Limits) withDefaults() Limits {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&l.Message, MaxMessageBytes)
	l.Message = min(l.Message, MaxChunkSize)
	set(&l.PreAuth, MaxPreAuthBytes)
	l.PreAuth = min(l.PreAuth, l.Message)
	set(&l.Command, MaxCommandBytes)
	set(&l.ChunkStreams, MaxChunkStreams)
	set(&l.ChunkWork, ChunkWork)
	set(&l.NetStreams, MaxNetStreams)
	set(&l.AMFDepth, MaxAMFDepth)
	set(&l.AMFValues, MaxAMFValues)
	if l.Handshake == 0 {
		l.Handshake = HandshakeTimeout
	}
	if l.Commands == 0 {
		l.Commands = CommandTimeout
	}
	if l.Write == 0 {
		l.Write = WriteTimeout
	}
	return l
}

// amf are the limits of one command's values.
func (l Limits) amf() amf.Limits {
	return amf.Limits{Depth: l.AMFDepth, Values: l.AMFValues, Bytes: l.Command}
}
