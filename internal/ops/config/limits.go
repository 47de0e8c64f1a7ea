package config

import (
	"fmt"
	"time"

	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// Limits holds the limits that an operator may change, keyed in the file as in
// [LimitTable]. The others are constants of the packages that enforce them.
type Limits struct {
	Handshake        time.Duration `yaml:"handshake"`
	Command          time.Duration `yaml:"command_wait"`
	FirstMedia       time.Duration `yaml:"first_media"`
	PublisherSilence time.Duration `yaml:"publisher_silence"`
	WriteStall       time.Duration `yaml:"write_stall"`

	Message      Size `yaml:"message"`
	CommandBytes Size `yaml:"command_bytes"`
	PreAuth      Size `yaml:"before_authorization"`
	ChunkStreams int  `yaml:"chunk_streams"`
	NetStreams   int  `yaml:"net_streams"`

	GOPTime   time.Duration `yaml:"gop_time"`
	GOPBytes  Size          `yaml:"gop_bytes"`
	ViewerLag time.Duration `yaml:"viewer_lag"`

	ConnectionsPerAddr int `yaml:"connections_per_address"`
}

// Wire returns the limits that package rtmp enforces on a connection.
func (l Limits) Wire() rtmp.Limits {
	return rtmp.Limits{
		Message:      int(l.Message),
		PreAuth:      int(l.PreAuth),
		Command:      int(l.CommandBytes),
		ChunkStreams: l.ChunkStreams,
		NetStreams:   l.NetStreams,
		Handshake:    l.Handshake,
		Commands:     l.Command,
		Write:        l.WriteStall,
	}
}

// Limit is one row of the table: everything there is to know about a limit.
type Limit struct {
	// Key is its name in the section limits of the file; empty: it cannot be
	// changed, because a peer or a neighbour relies on it.
	Key string
	// Name says what is limited, in words.
	Name string
	// Default is a time.Duration, a Size, or a Count.
	Default fmt.Stringer
	// Least and Most are the range of Key; of Default's type, nil without Key.
	Least, Most fmt.Stringer
	// Stops is the abuse that it stops, or why the number is what it is.
	Stops string
	// Reason is what a session or a message hit by it is called in logs, and the
	// label of its counter, weir_limit_hits_total.
	Reason event.Reason
	// Later: the part that it guards is not there yet.
	Later bool
}

// Count is a plain number of things, with its unit.
type Count struct {
	N    int
	Unit string
}

func (c Count) String() string { return fmt.Sprintf("%d %s", c.N, c.Unit) }

// LimitTable holds every limit of the project, the wire's included, in the
// order in which a connection meets them.
var LimitTable = []Limit{
	{
		Key: "connections_per_address", Name: "connections of one address",
		Default: Count{256, "connections"}, Least: Count{1, ""}, Most: Count{1 << 20, ""},
		Stops:  "a flood from one address. Not smaller: offices and carriers share addresses. Exempt: 127.0.0.1, ::1 and the addresses of nodes",
		Reason: event.TooManyOfOne,
	},
	{
		Key: "handshake", Name: "TLS and RTMP handshake, in all",
		Default: rtmp.HandshakeTimeout, Least: 100 * time.Millisecond, Most: time.Minute,
		Stops:  "handshakes that drip a byte at a time: the deadline is absolute",
		Reason: event.HandshakeTimeout,
	},
	{
		Key: "command_wait", Name: "from the handshake to publish or play",
		Default: rtmp.CommandTimeout, Least: 100 * time.Millisecond, Most: 10 * time.Minute,
		Stops:  "thousands of idle connections after connect",
		Reason: event.CommandTimeout,
	},
	{
		Key: "first_media", Name: "from publish to the first media",
		Default: 10 * time.Second, Least: 100 * time.Millisecond, Most: 10 * time.Minute,
		Stops:  "keys held by publishers that send nothing. Not smaller: capture devices start slowly",
		Reason: event.FirstMediaTimeout,
	},
	{
		Key: "publisher_silence", Name: "silence of a publisher",
		Default: 5 * time.Second, Least: 500 * time.Millisecond, Most: 10 * time.Minute,
		Stops:  "half-open connections that lock a key. Not smaller: mobile uplinks stall for seconds",
		Reason: event.PublisherSilent,
	},
	{
		Key: "write_stall", Name: "no progress of a write",
		Default: rtmp.WriteTimeout, Least: time.Second, Most: 10 * time.Minute,
		Stops:  "peers that read nothing and hold memory of the kernel",
		Reason: event.WriteStalled,
	},
	{
		Name: "inbound chunk size", Default: Count{rtmp.MaxChunkSize, "bytes"},
		Stops:  "size 0 or with the top bit set is a protocol error; a larger one is clamped to the longest message there is",
		Reason: event.Reason(rtmp.ReasonChunkSize),
	},
	{
		Name: "work on tiny chunks", Default: Count{rtmp.ChunkWork, "chunks"},
		Stops:  "one-byte chunks, which make a byte on the wire as dear as 4 KiB. Refilled by payload and time",
		Reason: event.Reason(rtmp.ReasonChunkWork),
	},
	{
		Key: "message", Name: "one message",
		Default: Size(rtmp.MaxMessageBytes), Least: 64 * KiB, Most: Size(rtmp.MaxChunkSize),
		Stops:  "16 MiB announced and never sent. Not smaller: a 4K key frame passes 4 MiB",
		Reason: event.Reason(rtmp.ReasonMessageSize),
	},
	{
		Key: "command_bytes", Name: "one command",
		Default: Size(rtmp.MaxCommandBytes), Least: 4 * KiB, Most: MiB,
		Stops:  "long AMF parses",
		Reason: event.Reason(rtmp.ReasonMessageSize),
	},
	{
		Key: "before_authorization", Name: "one message before authorization",
		Default: Size(rtmp.MaxPreAuthBytes), Least: 4 * KiB, Most: MiB,
		Stops:  "memory for strangers. Not smaller: signed tokens ride in connect",
		Reason: event.Reason(rtmp.ReasonMessageSize),
	},
	{
		Name: "one control message", Default: Size(rtmp.MaxControlBytes),
		Stops:  "control messages that pretend to be media; the longest in use has 44 bytes",
		Reason: event.Reason(rtmp.ReasonMessageSize),
	},
	{
		Key: "chunk_streams", Name: "chunk streams of a connection",
		Default: Count{rtmp.MaxChunkStreams, "streams"}, Least: Count{8, ""}, Most: Count{4096, ""},
		Stops:  "65,600 ids with a partial message each",
		Reason: event.Reason(rtmp.ReasonChunkStreams),
	},
	{
		Name: "bytes of unfinished messages", Default: Count{rtmp.PartialMessages, "times the message limit"},
		Stops:  "many large messages begun and none ended",
		Reason: event.Reason(rtmp.ReasonPartialBytes),
	},
	{
		Name: "depth of AMF values", Default: Count{rtmp.MaxAMFDepth, "levels"},
		Stops:  "nested arrays: a stack overflow would end the process",
		Reason: event.Reason(rtmp.ReasonBadCommand),
	},
	{
		Name: "AMF values of a command", Default: Count{rtmp.MaxAMFValues, "values"},
		Stops:  "objects without end; nothing is ever allocated from a declared count",
		Reason: event.Reason(rtmp.ReasonBadCommand),
	},
	{
		Key: "net_streams", Name: "NetStreams of a client",
		Default: Count{rtmp.MaxNetStreams, "streams"}, Least: Count{1, ""}, Most: Count{1024, ""},
		Stops:  "createStream without end; each one over is answered with an error",
		Reason: event.Reason(rtmp.ReasonTooManyStreams),
	},
	{
		Name: "NetStreams of a connection between nodes", Default: Count{256, "streams"},
		Stops:  "a node that never gives a feed back. Not smaller: 64 feeds share a connection, and as many may be on their way out",
		Reason: event.Reason(rtmp.ReasonTooManyStreams),
	},
	{
		Name: "answers that wait for a viewer", Default: 64 * KiB,
		Stops:  "viewers that ask without end and read no answer",
		Reason: event.WriteStalled,
	},
	{
		Name: "refused commands of a connection", Default: Count{1000, "commands"},
		Stops:  "clients that ask for what they cannot have without end; each refusal is answered",
		Reason: event.Reason(rtmp.ReasonCommandFlood),
	},
	{
		Name: "application or stream name", Default: Count{stream.MaxNameBytes, "bytes"},
		Stops:  "names that are paths, hold control characters or do not fit the store",
		Reason: event.BadName,
	},
	{
		Key: "gop_time", Name: "GOP cache, time",
		Default: 10 * time.Second, Least: time.Second, Most: time.Minute,
		Stops:  "publishers without key frames. Not smaller: encoders are run with one every 10 s",
		Reason: event.GOPTooLong,
	},
	{
		Key: "gop_bytes", Name: "GOP cache, bytes of a stream",
		Default: 16 * MiB, Least: 256 * KiB, Most: GiB,
		Stops:  "memory by bitrate: 10 s at 13 Mb/s",
		Reason: event.GOPTooLarge,
	},
	{
		Name: "headers of a stream", Default: MiB,
		Stops:  "sequence headers and metadata without end: every viewer is sent them all",
		Reason: event.HeadersTooLarge,
	},
	{
		Key: "viewer_lag", Name: "a viewer's lag before it skips",
		Default: 2 * time.Second, Least: 100 * time.Millisecond, Most: time.Minute,
		Stops:  "memory and latency kept for slow viewers. Not smaller: Wi-Fi pauses of a second heal by themselves",
		Reason: event.ViewerLagging,
	},
	{
		Name: "memory of a stream's absence, time", Default: 2 * time.Second,
		Stops:  "questions to the store, as many as there are plays of absent streams",
		Reason: event.NegativeCached,
	},
	{
		Name: "memory of absent streams, entries", Default: Count{10_000, "streams"},
		Stops:  "a million plays of random names",
		Reason: event.NegativeCacheFull,
	},
	{
		Name: "hops from node to node", Default: Count{3, "hops"},
		Stops:  "relays that loop back to themselves",
		Reason: event.HopLimit,
	},
	{
		Name: "answer of a hook, time", Default: 3 * time.Second,
		Stops: "slow hooks that hold publishers", Reason: event.HookTimeout, Later: true,
	},
	{
		Name: "answer of a hook, bytes", Default: 64 * KiB,
		Stops: "hooks that answer without end", Reason: event.HookTooLarge, Later: true,
	},
}
