package amf

import "fmt"

// Error says why bytes could not be decoded. It holds none of those bytes, so
// it may be logged.
type Error struct {
	// Version is the format that was being read: 0 or 3.
	Version int
	// Offset of the value at fault, from the start of the Decoder's input.
	Offset int
	// Marker is the type marker of that value, if it was read.
	Marker byte
	// Reason is one of the Reason constants.
	Reason string
}

// Reasons of an [Error]. They are fit to be metric labels.
const (
	// ReasonTruncated: the input ends within a value, or a count or a length
	// claims more than what follows could hold.
	ReasonTruncated = "amf_truncated"
	// ReasonDepth: more containers within one another than Limits.Depth.
	ReasonDepth = "amf_depth"
	// ReasonValues: more values than Limits.Values.
	ReasonValues = "amf_values"
	// ReasonBytes: more text than Limits.Bytes.
	ReasonBytes = "amf_bytes"
	// ReasonMarker: a type marker that does not exist or is reserved.
	ReasonMarker = "amf_marker"
	// ReasonReference: a reference to something that was not sent.
	ReasonReference = "amf_reference"
	// ReasonCycle: a reference to a container that is not complete: a value that
	// would contain itself.
	ReasonCycle = "amf_cycle"
	// ReasonExternalizable: an object whose class has a private form.
	ReasonExternalizable = "amf_externalizable"
)

func (e *Error) Error() string {
	return fmt.Sprintf("amf%d: %s at offset %d (marker 0x%02x)", e.Version, e.Reason, e.Offset, e.Marker)
}
