package event

import (
	"iter"
	"slices"

	"weir/rtmp"
)

// Reason says in one stable word why something ended, was refused or dropped.
// It is the metric label and the log word alike. The wire's own reasons (what a
// malformed byte is called) are constants of package rtmp, spelled the same way;
// Reason(rtmpReason) is the conversion, and [Reasons] yields both.
type Reason string

// Sessions that end as planned.
const (
	ClientClosed   Reason = "client-closed"   // the client said goodbye or closed its connection
	ClientGone     Reason = "client-gone"     // the connection broke: reset, no route, keep-alive
	Unpublished    Reason = "unpublished"     // the publisher said that it is done
	StreamEnded    Reason = "stream-ended"    // the stream ended and its viewer with it
	NodeStopping   Reason = "node-stopping"   // this node ends in good order
	Kicked         Reason = "kicked"          // an operator ended it
	NobodyWatching Reason = "nobody-watching" // a pull's grace passed without a viewer
)

// Refusals that are somebody's decision.
const (
	Busy           Reason = "busy"             // the key has a publisher
	NotFound       Reason = "not-found"        // no such stream, or not yet and nobody waits for it
	BadName        Reason = "bad-name"         // the application or stream name is not allowed
	Unauthorized   Reason = "unauthorized"     // a proof of membership or a token is missing or wrong
	NoServer       Reason = "no-server"        // no server can take the session
	NoHTTPAddress  Reason = "no-http-address"  // the server that has the stream serves nothing by HTTP
	NotServed      Reason = "not-served"       // this node's roles do not include what was asked
	TooManyOfOne   Reason = "address-limit"    // connections of one address
	StorePending   Reason = "store-pending"    // the store did not answer in time
	BadCertificate Reason = "bad-certificate"  // the client does not take this server's certificate
	BadProxyHeader Reason = "bad-proxy-header" // a trusted proxy did not say whose connection it brings
	TLSFailed      Reason = "tls-failed"       // TLS did not come about
	NotTLS         Reason = "not-tls"          // bytes in clear on the listener for TLS
)

// Deadlines and limits. Each one is a row of the limits table (config.LimitTable)
// and counts in weir_limit_hits_total.
const (
	HandshakeTimeout   Reason = Reason(rtmp.ReasonHandshakeTimeout) // handshake not done in time
	CommandTimeout     Reason = Reason(rtmp.ReasonCommandTimeout)   // connected, neither published nor played in time
	FirstMediaTimeout  Reason = "first-media-timeout"               // published and sent nothing
	PublisherSilent    Reason = "publisher-silent"                  // published and fell silent
	WriteStalled       Reason = Reason(rtmp.ReasonWriteStalled)     // the peer takes no bytes
	ViewerLagging      Reason = "viewer-lagging"                    // the viewer is too far behind
	GOPTooLong         Reason = "gop-too-long"                      // the GOP cache's time ran over
	GOPTooLarge        Reason = "gop-too-large"                     // the GOP cache's bytes ran over
	NegativeCached     Reason = "negative-cached"                   // answered "no such stream" from memory
	NegativeCacheFull  Reason = "negative-cache-full"               // the memory of absent streams was full
	HopLimit           Reason = "hop-limit"                         // relayed too often: a loop
	HookTimeout        Reason = "hook-timeout"                      // a hook did not answer in time
	HookTooLarge       Reason = "hook-too-large"                    // a hook's answer was too long
	DescriptorsExhaust Reason = "descriptors-exhausted"             // accept found no free descriptor
)

// The cluster's.
const (
	StaleEpoch     Reason = "stale-epoch"     // a higher epoch has been seen
	ForgedEpoch    Reason = "forged-epoch"    // another node stated an epoch that no store has issued
	TakenOver      Reason = "taken-over"      // a newcomer took over: the owner was silent or gone, or the policy says so
	SourceLost     Reason = "source-lost"     // the connection to the source broke
	SourceSilent   Reason = "source-silent"   // the source sends nothing
	OwnerChanged   Reason = "owner-changed"   // the registry names another owner
	DialFailed     Reason = "dial-failed"     // the server could not be reached
	BackendRefused Reason = "backend-refused" // the server said no
	HandedOver     Reason = "handed-over"     // the same publisher goes on at another node
	NodeLeft       Reason = "node-left"       // it went away in good order
	NodeLost       Reason = "node-lost"       // its lease ran out
)

// Why a session is carried that was to be spliced.
const (
	NotPlainTCP   Reason = "not-plain-tcp"   // TLS, or no TCP connection at all
	NotAlone      Reason = "not-alone"       // other message streams on the connection
	Unrepeatable  Reason = "unrepeatable"    // the client's words cannot be said again
	OtherStreamID Reason = "other-stream-id" // the server's message stream has another id than the client's
	NoBoundary    Reason = "no-boundary"     // the server was within a message where it answered createStream
	ChunkState    Reason = "chunk-state"     // a chunk stream's state cannot be given to the client
	AckWindow     Reason = "ack-window"      // the two byte counts differ by too much of the window
	ChunkEcho     Reason = "chunk-echo"      // the publisher would make its chunks smaller in mid-stream
)

// Media that is dropped.
const (
	EmptyMedia      Reason = "empty-media"       // a media message without a body
	BadMedia        Reason = "bad-media"         // its header does not parse
	BeforeHeaders   Reason = "before-headers"    // a frame before its codec's headers
	OldTimestamp    Reason = "old-timestamp"     // not newer than what was delivered
	UnsupportedType Reason = "unsupported-type"  // neither audio, video nor data
	WaitKeyframe    Reason = "wait-keyframe"     // a new source's picture before its first key frame
	SpliceOverlap   Reason = "splice-overlap"    // a new source's sound before the end of the old one's
	RepeatedHeader  Reason = "repeated-header"   // equal to the current one
	HeadersTooLarge Reason = "headers-too-large" // a stream's headers are over their limit
	SequenceEnd     Reason = "sequence-end"      // an end-of-sequence tag: the end is the server's to tell
	OutOfRetention  Reason = "out-of-retention"  // what came next for a viewer is no longer kept
	InternalFault   Reason = "internal-fault"    // a fault of this node: please report it
	OtherReason     Reason = "other"             // the label for a reason that is not in the list
)

// ReasonInfo describes one reason for documents and tables.
type ReasonInfo struct {
	Reason  Reason
	Meaning string
	Limit   bool // it is the counter of a limit
}

// Reasons yields every reason that a log line or a metric can carry, this
// package's first and the wire's after them, each once.
func Reasons() iter.Seq[ReasonInfo] { return slices.Values(all) }

// Lookup returns what is known about r.
func (r Reason) Lookup() (ReasonInfo, bool) {
	i, ok := index[r]
	if !ok {
		return ReasonInfo{}, false
	}
	return all[i], true
}
