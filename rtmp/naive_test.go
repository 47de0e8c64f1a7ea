package rtmp

import (
	"encoding/binary"
	"io"
)

// naiveRead is the decoder written for the eye: all input at hand, one reader,
// maps, copies, recursion into nothing. It returns the messages, and the reason
// if the input ends in a violation. The fast decoder must agree with it.
func naiveRead(input []byte, lim Limits) (out []Message, reason Reason) {
	lim = lim.withDefaults()
	type state struct {
		field, ts, length, msid, extValue uint32
		typ                               MessageType
		ext                               bool
		busy                              bool
		got                               []byte
	}
	streams := map[uint32]*state{}
	chunkSize := uint32(128)
	work := lim.ChunkWork * ChunkWorkBytes
	dialect := ""
	var at int
	take := func(n int) []byte {
		if len(input)-at < n {
			panic(io.ErrUnexpectedEOF)
		}
		at += n
		return input[at-n : at]
	}
	u24 := func() uint32 { b := take(3); return uint32(b[0])<<16 + uint32(b[1])<<8 + uint32(b[2]) }
	defer func() {
		if r := recover(); r != nil && r != io.ErrUnexpectedEOF {
			panic(r)
		}
	}()
	for at < len(input) {
		b := take(1)[0]
		kind, id := b>>6, uint32(b&63)
		if id == 0 {
			id = uint32(take(1)[0]) + 64
		} else if id == 1 {
			id = uint32(binary.LittleEndian.Uint16(take(2))) + 64
		}
		s := streams[id]
		var field, length, msid uint32
		var typ MessageType
		ext := s != nil && s.ext
		switch kind {
		case 0, 1, 2:
			field = u24()
			ext = field == 0xFFFFFF
			if kind < 2 {
				length = u24()
				typ = MessageType(take(1)[0])
			}
			if kind == 0 {
				msid = binary.LittleEndian.Uint32(take(4))
			}
		}
		value := field
		if kind == 3 && s != nil {
			value = s.field
		}
		if ext {
			present := true
			if kind == 3 && s.busy && dialect == "" {
				rest := input[at:min(len(input), at+4)]
				want := binary.BigEndian.AppendUint32(nil, s.extValue)
				switch {
				case string(rest) != string(want[:len(rest)]):
					dialect = "bare"
				case len(rest) == 4:
					dialect = "repeats"
				}
			}
			if kind == 3 && dialect == "bare" {
				present = false
			}
			if present {
				v := binary.BigEndian.Uint32(take(4))
				if kind < 3 || !s.busy {
					value = v
				}
			}
		}
		if s == nil {
			if kind != 0 && !(kind == 1 && id == 2 && typ >= 1 && typ <= 6) {
				return out, ReasonFirstChunk
			}
			if len(streams) == lim.ChunkStreams {
				return out, ReasonChunkStreams
			}
			s = &state{}
			streams[id] = s
		}
		if s.busy && kind != 3 {
			return out, ReasonMidMessage
		}
		if !s.busy {
			s.field, s.ext = value, ext
			if ext {
				s.extValue = value
			}
			if kind < 2 {
				s.length, s.typ = length, typ
			}
			if kind == 0 {
				s.msid, s.ts = msid, 0
			}
			s.ts += value
			limit := lim.Message
			if s.typ >= 1 && s.typ <= 6 {
				limit = min(limit, MaxControlBytes)
			} else if s.typ == 16 || s.typ == 17 || s.typ == 19 || s.typ == 20 {
				limit = min(limit, lim.Command)
			}
			if int(s.length) > limit {
				return out, ReasonMessageSize
			}
			s.busy = true
		}
		n := min(chunkSize, s.length-uint32(len(s.got)))
		held := int(n)
		for _, other := range streams {
			held += len(other.got)
		}
		if held > 2*lim.Message {
			return out, ReasonPartialBytes
		}
		work = min(work+int(n)-ChunkWorkBytes, lim.ChunkWork*ChunkWorkBytes)
		if work < 0 {
			return out, ReasonChunkWork
		}
		s.got = append(s.got, take(int(n))...)
		if len(s.got) < int(s.length) {
			continue
		}
		m := Message{Type: s.typ, StreamID: s.msid, ChunkStream: id, Timestamp: s.ts, Payload: s.got}
		s.got, s.busy = nil, false
		switch m.Type {
		case SetChunkSize:
			if len(m.Payload) < 4 {
				return out, ReasonShortControl
			}
			v := binary.BigEndian.Uint32(m.Payload)
			if v == 0 || v > 0x7FFFFFFF {
				return out, ReasonChunkSize
			}
			chunkSize = v
		case Abort:
			if len(m.Payload) < 4 {
				return out, ReasonShortControl
			}
			if s := streams[binary.BigEndian.Uint32(m.Payload)]; s != nil {
				s.got, s.busy = nil, false
			}
		}
		out = append(out, m)
	}
	return out, ""
}
