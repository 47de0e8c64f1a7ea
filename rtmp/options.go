package rtmp

import "io"

// Options configure a [Conn], on either side. The zero value is ready.
type Options struct {
	Limits Limits
	// WindowAck is the acknowledgement window announced to the peer, in bytes
	// (DefaultWindowAck).
	WindowAck uint32
	// ChunkSize is the outbound chunk size that the conversation announces, in
	// bytes (DefaultChunkSize). Until then a Conn sends chunks of 128.
	ChunkSize int
	// Rand fills the handshake (crypto/rand).
	Rand io.Reader
	// SimpleHandshake makes a client send the simple handshake. The default is
	// the digest handshake, from which every known server falls back.
	SimpleHandshake bool
	// Mark and Heard are those of [HandshakeOptions].
	Mark  []byte
	Heard func(mark []byte)
	// BeforeRead is called before each read after the handshake, by the reading goroutine; it may be nil.
	BeforeRead func()
	// HandUp names the commands that a ServerConn hands to its caller as
	// EventCommand instead of answering them itself.
	HandUp []string
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.WindowAck == 0 {
		o.WindowAck = DefaultWindowAck
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = DefaultChunkSize
	}
	o.ChunkSize = min(max(o.ChunkSize, MinChunkSize), MaxChunkSize)
	return o
}
