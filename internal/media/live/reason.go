package live

// Reason names why something was dropped, skipped or ended. It is metric label,
// log word and argument of OnEnd alike. Words that the rest of the server uses
// for the same thing are spelled the same.
type Reason string

// Messages of a publisher that do not reach the log.
const (
	// ReasonEmptyTag: a message without payload. Some encoders send them to keep a connection alive.
	ReasonEmptyTag Reason = "empty-media"
	// ReasonMalformedTag: the audio or video header is cut short or contradicts itself.
	ReasonMalformedTag Reason = "bad-media"
	// ReasonUnsupportedType: a message that is neither audio, video nor data.
	ReasonUnsupportedType Reason = "unsupported-type"
	// ReasonMessageTooLarge: a payload that no 24-bit length can state.
	ReasonMessageTooLarge Reason = "message-too-large"
	// ReasonMediaBeforeHeader: a frame of a codec that cannot be decoded without its sequence header, before it.
	ReasonMediaBeforeHeader Reason = "before-headers"
	// ReasonWaitKeyframe: a picture of a new source before that source's first key frame.
	ReasonWaitKeyframe Reason = "wait-keyframe"
	// ReasonAlreadyDelivered: a source resumed the same timeline and repeated what viewers have.
	ReasonAlreadyDelivered Reason = "old-timestamp"
	// ReasonSpliceOverlap: sound of a new source that would lie before the end of the old one's.
	ReasonSpliceOverlap Reason = "splice-overlap"
	// ReasonRepeatedHeader: a sequence header or metadata equal to the current one.
	ReasonRepeatedHeader Reason = "repeated-header"
	// ReasonHeadersTooLarge: a header that would take a stream's headers past MaxHeaderBytes.
	ReasonHeadersTooLarge Reason = "headers-too-large"
	// ReasonSequenceEnd: an end-of-sequence tag. The stream's end is the server's to announce: a publisher may come back.
	ReasonSequenceEnd Reason = "sequence-end"
)

// Viewers that lose part of a stream, and why joiners have to wait.
const (
	// ReasonLagging: behind by more than Options.LagLimit; moved to the newest key frame.
	ReasonLagging Reason = "viewer-lagging"
	// ReasonOutOfRetention: what came next for it is no longer kept; moved to the next key frame.
	ReasonOutOfRetention Reason = "out-of-retention"
	// ReasonGOPTooLong: the newest key frame is older than Options.RetainTime, joiners wait for the next.
	ReasonGOPTooLong Reason = "gop-too-long"
	// ReasonGOPTooLarge: the same for Options.RetainBytes.
	ReasonGOPTooLarge Reason = "gop-too-large"
)

// Ends of viewers. [Stream.End] may be given any other.
const (
	// ReasonUnpublished: the stream is over.
	ReasonUnpublished Reason = "unpublished"
	// ReasonLeft: Viewer.Close.
	ReasonLeft Reason = "client-closed"
	// ReasonStalled: no byte was taken for Options.StallLimit.
	ReasonStalled Reason = "write-stalled"
	// ReasonWriteFailed: the sink returned an error.
	ReasonWriteFailed Reason = "client-gone"
	// ReasonShutdown: Hub.Close.
	ReasonShutdown Reason = "node-stopping"
)
