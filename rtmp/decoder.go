package rtmp

// Decoder turns the bytes of a chunk stream into messages.
type Decoder struct{ lim Limits }

func NewDecoder(lim Limits) *Decoder { return &Decoder{lim: lim.withDefaults()} }

func (d *Decoder) Decode(p []byte) (n int, m *Message, err error) { return len(p), nil, nil }

// SetMaxMessage sets the message limit; at most Limits.Message, which 0 means.
func (d *Decoder) SetMaxMessage(n int) {}

func (d *Decoder) Trim() {}
