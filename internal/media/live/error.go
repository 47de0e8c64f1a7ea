package live

import "errors"

var (
	// ErrStale: Attach with an epoch below one that this stream has seen.
	ErrStale = errors.New("live: a higher epoch of this stream was seen")
	// ErrFenced: Write after a newer Attach, or after Close.
	ErrFenced = errors.New("live: another source has taken over")
	// ErrViewerGone: Send to a viewer whose OnEnd was or is about to be called.
	ErrViewerGone = errors.New("live: the viewer has left")
	// ErrControlFull: more than MaxControlBytes wait for a viewer that does not read.
	ErrControlFull = errors.New("live: too many control bytes wait for this viewer")
	// ErrMessage: bytes that are not a whole message in RTMP form.
	ErrMessage = errors.New("live: not a whole message")
	// ErrClosed: the hub was closed.
	ErrClosed = errors.New("live: closed")
)
