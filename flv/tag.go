package flv

// Tag types; they equal the RTMP message types.
const (
	TagAudio  uint8 = 8
	TagVideo  uint8 = 9
	TagScript uint8 = 18
)

const (
	// HeaderSize is the length of the file header with the first (zero)
	// PreviousTagSize, in bytes.
	HeaderSize = 13
	// TagHeaderSize is the length of the header of a tag, in bytes.
	TagHeaderSize = 11
	// TagOverhead is what AppendTag adds to a payload: header and PreviousTagSize.
	TagOverhead = TagHeaderSize + 4
	// MaxPayload is the longest payload that a tag can state: 24 bits.
	MaxPayload = 1<<24 - 1
)

// Tag is one tag of a file.
type Tag struct {
	Type      uint8
	Encrypted bool   // the filter bit: the payload is not what Type says
	Timestamp uint32 // ms, all 32 bits
	Payload   []byte
}

// AppendHeader appends the header of a file and the PreviousTagSize after it.
func AppendHeader(dst []byte, audio, video bool) []byte { return dst }

// AppendTagHeader appends the 11 bytes before a payload of the given size.
func AppendTagHeader(dst []byte, typ uint8, ts uint32, size int) []byte { return dst }

// AppendTag appends a whole tag: header, payload, PreviousTagSize.
func AppendTag(dst []byte, typ uint8, ts uint32, payload []byte) []byte { return dst }
