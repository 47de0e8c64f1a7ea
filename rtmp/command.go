package rtmp

import (
	"errors"
	"io"
	"math"
	"slices"

	"weir/amf"
)

// The conversation's reasons. The last three are not refusals but drops:
// [ServerConn.Dropped] counts them.
const (
	ReasonBadCommand      Reason = "bad-command"           // a command that is not a name, a number and values
	ReasonConnectExpected Reason = "connect-expected"      // a command before connect, or none in time
	ReasonSecondConnect   Reason = "second-connect"        // connect on a connected connection
	ReasonTooManyStreams  Reason = "too-many-streams"      // createStream over the limit, again and again
	ReasonStreamBusy      Reason = "stream-busy"           // publish and play on one message stream
	ReasonCommandFlood    Reason = "too-many-bad-commands" // refused commands without end
	ReasonUnknownStream   Reason = "unknown-stream"        // media or a command for a message stream that was not created
	ReasonNotPublishing   Reason = "not-publishing"        // media for a message stream that does not publish
	ReasonUnknownMessage  Reason = "unknown-message"       // a shared object, or a type that does not exist
)

func init() {
	conversationReasons = []Reason{ReasonBadCommand, ReasonConnectExpected, ReasonSecondConnect, ReasonTooManyStreams,
		ReasonStreamBusy, ReasonCommandFlood, ReasonUnknownStream, ReasonNotPublishing, ReasonUnknownMessage}
}

// Command is a command message (§7.1.1), types 20 and 17.
type Command struct {
	Name string
	// Transaction pairs a call with its answer; 0 wants none.
	Transaction float64
	// Object is the command object: nil (AMF null) for most.
	Object any
	Args   []any
	// StreamID is the message stream that the command is about; 0 is the
	// connection.
	StreamID uint32
}

// Arg returns the i-th argument, nil if there are fewer.
func (c *Command) Arg(i int) any {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return nil
}

// String returns the i-th argument if it is a string.
func (c *Command) String(i int) (string, bool) {
	s, ok := c.Arg(i).(string)
	return s, ok
}

// Number returns the i-th argument if it is a number.
func (c *Command) Number(i int) (float64, bool) {
	return number(c.Arg(i))
}

// number is a value as a number; AMF3 has integers beside doubles.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int32:
		return float64(v), true
	}
	return 0, false
}

// streamNumber is a value as a message stream id; 0, which is the connection and
// no stream, for all that is none.
func streamNumber(v any) uint32 {
	if n, ok := number(v); ok && n >= 1 && n < 1<<32 {
		return uint32(n)
	}
	return 0
}

// ParseCommand reads a message of type 20 or 17. What follows the name may be
// missing: clients leave out the command object, and some the transaction. A
// transaction that is no number, or one that an answer cannot repeat (NaN, the
// infinities), is a fault. The error is an [*Error] with ReasonBadCommand; if the
// AMF is at fault it wraps an *[amf.Error].
func ParseCommand(m *Message, lim amf.Limits) (Command, error) {
	p := m.Payload
	if m.Type == CommandAMF3 && len(p) > 0 && p[0] == 0 {
		p = p[1:] // AMF3 commands are AMF0 behind a zero byte, switching by marker
	}
	bad := func(err error) (Command, error) {
		return Command{}, &Error{Reason: ReasonBadCommand, Type: m.Type, Err: err}
	}
	c := Command{StreamID: m.StreamID}
	d := amf.NewDecoder0(p, lim)
	for i := 0; ; i++ {
		v, err := d.Decode()
		if errors.Is(err, io.EOF) && i > 0 {
			return c, nil
		}
		if err != nil {
			return bad(err)
		}
		switch i {
		case 0:
			name, ok := v.(string)
			if !ok {
				return bad(errors.New("the name is not a string"))
			}
			c.Name = name
		case 1:
			n, ok := number(v)
			if v == nil {
				n, ok = 0, true // "no answer", said by some relays
			}
			if !ok || math.IsNaN(n) || math.IsInf(n, 0) {
				return bad(errors.New("the transaction is not a number"))
			}
			c.Transaction = n
		case 2:
			c.Object = v
		default:
			c.Args = append(c.Args, v)
		}
	}
}

// AppendCommand appends the AMF0 payload of c.
func AppendCommand(dst []byte, c *Command) []byte {
	dst = amf.Append0(dst, c.Name)
	dst = amf.Append0(dst, c.Transaction)
	dst = amf.Append0(dst, c.Object)
	for _, a := range c.Args {
		dst = amf.Append0(dst, a)
	}
	return dst
}

// AppendCommandMessage appends c as a whole message in chunks.
func AppendCommandMessage(dst []byte, c *Command, chunkSize int) []byte {
	at := len(dst)
	dst = AppendCommand(appendRoom(dst), c)
	return closeMessage(dst, at, &Message{Type: CommandAMF0, StreamID: c.StreamID}, chunkSize)
}

// appendRoom appends room for the header of a message whose payload is appended next, and
// closeMessage makes it a message, of time 0, that begins at at: what is short, as nearly all
// answers are, is written once and where it goes.
func appendRoom(dst []byte) []byte { return append(dst, make([]byte, type0Size)...) }

func closeMessage(dst []byte, at int, m *Message, chunkSize int) []byte {
	m.Payload = dst[at+type0Size:]
	if len(m.Payload) > chunkSize {
		m.Payload = slices.Clone(m.Payload) // headers will be between its pieces
	}
	return AppendMessage(dst[:at], m, chunkSize)
}

// answerBytes is room enough for nearly every answer.
const answerBytes = 256
