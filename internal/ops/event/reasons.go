package event

import (
	"iter"
	"slices"
)

// Reason says in one stable word why something ended, was refused or dropped.
// It is the metric label and the log word alike. The wire's own reasons (what a
// malformed byte is called) are constants of package rtmp with the same
// spelling rules; Reason(rtmpReason) is the conversion, and [Reasons] yields
// both.
type Reason string

// Sessions that end as planned.
const (
	ClientClosed   Reason = "client_closed"   // the client said goodbye or closed its connection
	ClientGone     Reason = "client_gone"     // the connection broke: reset, no route, keep-alive
	Unpublished    Reason = "unpublished"     // the publisher said that it is done
	StreamEnded    Reason = "stream_ended"    // the stream ended and its viewer with it
	NodeStopping   Reason = "node_stopping"   // this node ends in good order
	NobodyWatching Reason = "nobody_watching" // a pull's grace passed without a viewer
	Reclaimed      Reason = "reclaimed"       // a publisher came back within its grace
	GraceOver      Reason = "grace_over"      // a publisher did not come back within its grace
)

// Refusals that are somebody's decision.
const (
	Busy           Reason = "busy"            // the key has a publisher
	NotFound       Reason = "not_found"       // no such stream, or not yet and nobody waits for it
	WaitOver       Reason = "wait_over"       // play.wait passed and the stream did not start
	BadName        Reason = "bad_name"        // the application or stream name is not allowed
	Unauthorized   Reason = "unauthorized"    // a proof of membership or a token is missing or wrong
	NoServer       Reason = "no_server"       // no server can take the session
	NotServed      Reason = "not_served"      // this node's roles do not include what was asked
	TooManyOfOne   Reason = "address_limit"   // connections of one address
	StorePending   Reason = "store_pending"   // the store did not answer in time
	NotAPublisher  Reason = "not_a_publisher" // media without an accepted publish
	ProtocolAbuse  Reason = "protocol_error"  // malformed bytes without a finer word
	NotRTMP        Reason = "not_rtmp"        // TLS, HTTP or anything else on the RTMP port
	BadCertificate Reason = "bad_certificate" // TLS did not come about
)

// Deadlines and limits. Each one is a row of the limits table (config.Limits)
// and counts in weir_limit_hits_total.
const (
	HandshakeTimeout   Reason = "handshake_timeout"     // handshake not done in time
	CommandTimeout     Reason = "command_timeout"       // connected, neither published nor played in time
	FirstMediaTimeout  Reason = "first_media_timeout"   // published and sent nothing
	PublisherSilent    Reason = "publisher_silent"      // published and fell silent
	WriteStalled       Reason = "write_stalled"         // the peer takes no bytes
	ViewerLagging      Reason = "viewer_lagging"        // the viewer is too far behind
	GOPTooLong         Reason = "gop_too_long"          // the GOP cache's time ran over
	GOPTooLarge        Reason = "gop_too_large"         // the GOP cache's bytes ran over
	NegativeCached     Reason = "negative_cached"       // answered "no such stream" from memory
	NegativeCacheFull  Reason = "negative_cache_full"   // the memory of absent streams was full
	HopLimit           Reason = "hop_limit"             // relayed too often: a loop
	HookTimeout        Reason = "hook_timeout"          // a hook did not answer in time
	HookTooLarge       Reason = "hook_too_large"        // a hook's answer was too long
	DescriptorsExhaust Reason = "descriptors_exhausted" // accept found no free descriptor
)

// The cluster's.
const (
	StaleEpoch     Reason = "stale_epoch"     // a higher epoch has been seen
	LeaseLost      Reason = "lease_lost"      // the node's lease ran out
	TakenOver      Reason = "taken_over"      // an authenticated newcomer took a silent owner's key
	SourceLost     Reason = "source_lost"     // the connection to the source broke
	SourceSilent   Reason = "source_silent"   // the source sends nothing
	OwnerChanged   Reason = "owner_changed"   // the registry names another owner
	DialFailed     Reason = "dial_failed"     // the server could not be reached
	BackendRefused Reason = "backend_refused" // the server said no
	NodeLeft       Reason = "node_left"       // it went away in good order
	NodeLost       Reason = "node_lost"       // its lease ran out
)

// Media that is dropped.
const (
	EmptyMedia    Reason = "empty_media"    // a media message without a body
	BadMedia      Reason = "bad_media"      // its header does not parse
	BeforeHeaders Reason = "before_headers" // a frame before its codec's headers
	OldTimestamp  Reason = "old_timestamp"  // not newer than what was delivered
	FeedOverrun   Reason = "feed_overrun"   // a feed fell behind
	InternalFault Reason = "internal_fault" // a fault of this node: please report it
	OtherReason   Reason = "other"          // the label for a reason that is not in the list
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

// known returns r if it is in the list and OtherReason if not, so that a label
// can never grow without bound.
func (r Reason) known() Reason {
	if _, ok := index[r]; ok {
		return r
	}
	return OtherReason
}
