package amf

// Decoder reads the values of one message.
type Decoder struct{ p []byte }

// NewDecoder0 returns a Decoder of the AMF0 values in p.
func NewDecoder0(p []byte, lim Limits) *Decoder { return &Decoder{p: p} }

// NewDecoder3 returns a Decoder of the AMF3 values in p.
func NewDecoder3(p []byte, lim Limits) *Decoder { return &Decoder{p: p} }

// Decode returns the next value, io.EOF at the end, or an *Error.
func (d *Decoder) Decode() (any, error) { return nil, &Error{Reason: ReasonTruncated} }

// Offset returns how many bytes have been consumed.
func (d *Decoder) Offset() int { return 0 }
