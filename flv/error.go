package flv

import (
	"fmt"
	"io"
)

// Error says why bytes could not be parsed. It holds none of them, so it may be
// logged. A truncated file or tag unwraps to io.ErrUnexpectedEOF.
type Error struct {
	// Unit is what was being read: "file", "tag", "video", "audio" or "config".
	Unit string
	// Offset within the unit; for "file" and "tag" within the whole input.
	Offset int64
	// Reason is one of the Reason constants.
	Reason string
}

// Reasons of an [Error]. They are fit to be metric labels.
const (
	// ReasonEmpty: a tag without a body. Some encoders send such tags to keep a
	// connection alive; they carry nothing.
	ReasonEmpty = "flv_empty"
	// ReasonTruncated: the input ends within a header.
	ReasonTruncated = "flv_truncated"
	// ReasonSignature: the file does not start with "FLV" and a version of 1.
	ReasonSignature = "flv_signature"
	// ReasonTooLarge: a tag longer than the reader's limit, or than a tag can be.
	ReasonTooLarge = "flv_too_large"
	// ReasonMultitrack: the tracks of a multitrack message do not add up.
	ReasonMultitrack = "flv_multitrack"
	// ReasonConfig: a decoder configuration that contradicts itself.
	ReasonConfig = "flv_config"
)

func (e *Error) Error() string {
	return fmt.Sprintf("flv: %s: %s at offset %d", e.Unit, e.Reason, e.Offset)
}

func (e *Error) Unwrap() error {
	if e.Reason == ReasonTruncated && (e.Unit == "file" || e.Unit == "tag") {
		return io.ErrUnexpectedEOF
	}
	return nil
}
