package rtmp

import (
	"encoding/binary"
	"errors"
)

// aggregateHeader is the FLV tag header that precedes each message within an
// aggregate; a 4-byte back pointer follows the message (§7.1.6).
const aggregateHeader = 11

var (
	errAggregateShort = errors.New("ends within a message")
	errAggregateType  = errors.New("holds something other than audio, video and data")
)

// AggregateReader takes an aggregate message apart. Its zero value is empty.
type AggregateReader struct {
	whole Message
	rest  []byte
	base  uint32 // first inner timestamp
	begun bool
}

// NewAggregateReader reads m, whose payload it shares.
func NewAggregateReader(m *Message) AggregateReader {
	return AggregateReader{whole: *m, rest: m.Payload}
}

// More reports whether a message is left.
func (a *AggregateReader) More() bool { return len(a.rest) > 0 }

// Next returns the next message. Its stream is the aggregate's, and its
// timestamp is shifted so that the first one has the aggregate's. An aggregate
// within an aggregate, and anything but audio, video and data, is an error: an
// [*Error] with ReasonAggregate. A missing last back pointer is not.
func (a *AggregateReader) Next() (Message, error) {
	if len(a.rest) < aggregateHeader {
		return Message{}, a.fault(errAggregateShort)
	}
	h := a.rest[:aggregateHeader]
	size := int(be24(h[1:]))
	if size > len(a.rest)-aggregateHeader {
		return Message{}, a.fault(errAggregateShort)
	}
	m := Message{
		Type: MessageType(h[0]), StreamID: a.whole.StreamID, ChunkStream: a.whole.ChunkStream,
		Timestamp: be24(h[4:]) | uint32(h[7])<<24,
		Payload:   a.rest[aggregateHeader:][:size:size],
	}
	if !m.Type.IsMedia() {
		return Message{}, a.fault(errAggregateType)
	}
	if !a.begun {
		a.base, a.begun = m.Timestamp, true
	}
	m.Timestamp += a.whole.Timestamp - a.base
	rest := a.rest[aggregateHeader+size:]
	if len(rest) > 0 && len(rest) < 4 {
		return Message{}, a.fault(errAggregateShort)
	}
	a.rest = rest[min(4, len(rest)):]
	return m, nil
}

func (a *AggregateReader) fault(cause error) error {
	a.rest = nil
	return &Error{Reason: ReasonAggregate, Type: Aggregate, Err: cause}
}

// AppendAggregate appends m to the payload of an aggregate message. The inner
// stream id is written as 0, which readers ignore.
func AppendAggregate(dst []byte, m *Message) []byte {
	n, ts := len(m.Payload), m.Timestamp
	dst = append(dst, byte(m.Type), byte(n>>16), byte(n>>8), byte(n),
		byte(ts>>16), byte(ts>>8), byte(ts), byte(ts>>24), 0, 0, 0)
	dst = append(dst, m.Payload...)
	return binary.BigEndian.AppendUint32(dst, uint32(aggregateHeader+n))
}
