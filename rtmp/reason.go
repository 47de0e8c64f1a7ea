package rtmp

import "slices"

// Reason says why a peer was refused, in one word: the same in logs, metrics
// and tests.
type Reason string

// The reasons of the transport. The conversation adds its own beside its code
// and lists them here.
const (
	ReasonNotRTMP          Reason = "not-rtmp"               // C0 is not 3
	ReasonTLS              Reason = "tls-on-plain-port"      // a TLS hello: the client wants rtmps
	ReasonHTTP             Reason = "http-on-rtmp-port"      // an HTTP request
	ReasonProxyHeader      Reason = "unexpected-proxy"       // a PROXY protocol header where none is expected
	ReasonEncrypted        Reason = "rtmpe-unsupported"      // C0 asks for RTMPE
	ReasonHandshakeTimeout Reason = "handshake-timeout"      // the handshake took longer than allowed
	ReasonHandshakeEnded   Reason = "handshake-ended"        // the peer closed within the handshake
	ReasonChunkSize        Reason = "bad-chunk-size"         // Set Chunk Size 0 or top bit set
	ReasonChunkWork        Reason = "chunk-work"             // the budget against tiny chunks is spent
	ReasonChunkStreams     Reason = "too-many-chunk-streams" // more chunk streams than allowed
	ReasonFirstChunk       Reason = "bad-first-chunk"        // a chunk stream began with a compressed header
	ReasonMidMessage       Reason = "header-in-mid-message"  // a new header before the message was whole
	ReasonMessageSize      Reason = "message-too-large"      // over the limit in force
	ReasonPartialBytes     Reason = "too-many-partial-bytes" // unfinished messages hold too much
	ReasonShortControl     Reason = "short-control"          // a control message shorter than its fields
	ReasonAggregate        Reason = "bad-aggregate"          // an aggregate that cannot be split
	ReasonTruncated        Reason = "truncated"              // the connection ended within a message
	ReasonWriteStalled     Reason = "write-stalled"          // the peer took no byte for the write timeout
	ReasonCommandTimeout   Reason = "command-timeout"        // no publish or play in time
)

var transportReasons = []Reason{
	ReasonNotRTMP, ReasonTLS, ReasonHTTP, ReasonProxyHeader, ReasonEncrypted, ReasonHandshakeTimeout,
	ReasonHandshakeEnded, ReasonChunkSize, ReasonChunkWork, ReasonChunkStreams, ReasonFirstChunk, ReasonMidMessage,
	ReasonMessageSize, ReasonPartialBytes, ReasonShortControl, ReasonAggregate, ReasonTruncated, ReasonWriteStalled,
	ReasonCommandTimeout,
}

// conversationReasons is filled beside the conversation's own reasons.
var conversationReasons []Reason

// Reasons lists every reason of this package, for metrics that want all label
// values from the start.
func Reasons() []Reason { return slices.Concat(transportReasons, conversationReasons) }
