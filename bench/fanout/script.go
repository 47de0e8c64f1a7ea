package main

import (
	"encoding/binary"
	"math"
	"time"

	"weir/flv"
	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// The audio's part of a stream's bit rate: audioMbps, or audioShare of a thin one.
const (
	audioMbps  = 0.128
	audioShare = 0.32
)

// shape is the stream of a load: what Weir and nginx get from the publisher and the
// floor from its script.
func shape(l load) stamp.Shape {
	audio := min(audioMbps, audioShare*l.Mbps)
	return stamp.Shape{
		VideoBitrate: int((l.Mbps - audio) * 1e6), AudioBitrate: int(audio * 1e6),
		FrameRate: 30, GOP: 2 * time.Second,
	}
}

// scriptPeriod is how long a script is before it repeats: whole groups of pictures, and
// long enough that the seam in the audio's cadence is rare.
const scriptPeriod = 20 * time.Second

const noStamp = math.MaxUint32

// makeScript returns what floor.c sends, in its format: all numbers little-endian,
//
//	"WFLOOR1\n", period (µs) 64, messages 32, preamble bytes 32,
//	per message: due (µs) 64, bytes 32, offset of the stamp 32, sequence 32,
//	             messages of its track in a period 32, timestamp (ms) 32, 0 32
//	the preamble, the messages
//
// The preamble is a Set Chunk Size and the sequence headers.
func makeScript(stream string, shape stamp.Shape) []byte {
	source := stamp.NewSource(stream, 1, shape)
	preamble := rtmp.AppendSetChunkSize(nil, rtmp.DefaultChunkSize)
	for _, h := range source.Headers() {
		preamble = appendFrame(preamble, h)
	}
	type message struct {
		due   time.Duration
		frame stamp.Frame
		bytes []byte
		count uint32 // before it, of its track
	}
	var messages []message
	counts := map[uint8]uint32{}
	for source.Due() < scriptPeriod {
		m := message{due: source.Due()}
		m.frame = source.Next(nil, time.UnixMicro(0))
		m.bytes = appendFrame(nil, m.frame)
		m.count = counts[m.frame.Type]
		counts[m.frame.Type]++
		messages = append(messages, m)
	}
	le := binary.LittleEndian
	s := []byte("WFLOOR1\n")
	s = le.AppendUint64(s, uint64(scriptPeriod.Microseconds()))
	s = le.AppendUint32(s, uint32(len(messages)))
	s = le.AppendUint32(s, uint32(len(preamble)))
	for _, m := range messages {
		s = le.AppendUint64(s, uint64(m.due.Microseconds()))
		s = le.AppendUint32(s, uint32(len(m.bytes)))
		s = le.AppendUint32(s, stampOffset(m.bytes))
		s = le.AppendUint32(s, m.count)
		s = le.AppendUint32(s, counts[m.frame.Type])
		s = le.AppendUint32(s, uint32(m.frame.Timestamp))
		s = le.AppendUint32(s, 0)
	}
	s = append(s, preamble...)
	for _, m := range messages {
		s = append(s, m.bytes...)
	}
	return s
}

func appendFrame(dst []byte, f stamp.Frame) []byte {
	m := &rtmp.Message{Type: rtmp.MessageType(f.Type), StreamID: 1, ChunkStream: 4, Timestamp: uint32(f.Timestamp), Payload: f.Payload}
	if f.Type == flv.TagVideo {
		m.ChunkStream = 6
	}
	return rtmp.AppendMessage(dst, m, rtmp.DefaultChunkSize)
}

// stampOffset finds the stamp behind the chunk header and the codec's.
func stampOffset(b []byte) uint32 {
	const headers = 32
	for i := range min(headers, len(b)) {
		if _, err := stamp.Parse(b[i:]); err == nil {
			return uint32(i)
		}
	}
	return noStamp
}
