package rtmp

import (
	"errors"
	"io"

	"weir/amf"
)

// The conversation's reasons.
const (
	ReasonBadCommand      Reason = "bad-command"           // a command that is not a name, a number and values
	ReasonConnectExpected Reason = "connect-expected"      // a command before connect, or none in time
	ReasonSecondConnect   Reason = "second-connect"        // connect on a connected connection
	ReasonTooManyStreams  Reason = "too-many-streams"      // createStream over the limit, again and again
	ReasonStreamBusy      Reason = "stream-busy"           // publish and play on one message stream
	ReasonUnknownStream   Reason = "unknown-stream"        // media or a command for a message stream that was not created
	ReasonCommandFlood    Reason = "too-many-bad-commands" // refused commands without end
)

func init() {
	conversationReasons = []Reason{ReasonBadCommand, ReasonConnectExpected, ReasonSecondConnect, ReasonTooManyStreams,
		ReasonStreamBusy, ReasonUnknownStream, ReasonCommandFlood}
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
	switch v := c.Arg(i).(type) {
	case float64:
		return v, true
	case int32:
		return float64(v), true
	}
	return 0, false
}

// ParseCommand reads a message of type 20 or 17. What follows the name may be
// missing: clients leave out the command object, and some the transaction. The
// error is an [*Error] with ReasonBadCommand, or with the reason of package amf's
// limit.
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
			// A transaction that is not a number, or not one that can be echoed, is
			// none: answers would go nowhere.
			if n, ok := v.(float64); ok && n >= 0 && n <= 1<<53 {
				c.Transaction = n
			}
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
	m := Message{Type: CommandAMF0, StreamID: c.StreamID, Payload: AppendCommand(nil, c)}
	return AppendMessage(dst, &m, chunkSize)
}

// setDataFrame is the AMF0 string with which encoders begin the data messages
// that the server is to keep for later viewers.
const setDataFrame = "\x02\x00\x0d@setDataFrame"

// StripSetDataFrame returns the payload of an AMF0 data message without a leading
// "@setDataFrame", and whether there was one. It allocates nothing.
func StripSetDataFrame(p []byte) ([]byte, bool) {
	if len(p) >= len(setDataFrame) && string(p[:len(setDataFrame)]) == setDataFrame {
		return p[len(setDataFrame):], true
	}
	return p, false
}
