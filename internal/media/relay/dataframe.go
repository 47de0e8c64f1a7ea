package relay

import (
	"bytes"
	"slices"

	"weir/internal/media/live"
	"weir/rtmp"
)

var (
	metadataName = []byte("\x02\x00\x0aonMetaData")
	setDataFrame = []byte("\x02\x00\x0d@setDataFrame")
)

// setDataFrames returns messages in RTMP form with @setDataFrame in front of the
// metadata, as an encoder says it: many servers keep it for later viewers only
// then. Without metadata it is b itself.
func setDataFrames(b []byte) ([]byte, error) {
	var out []byte
	done := 0 // of b, is in out
	for at := 0; at < len(b); {
		m, size, err := live.NextMessage(b[at:])
		if err != nil {
			return nil, err
		}
		if m.Type == rtmp.DataAMF0 {
			if p := m.Payload(); bytes.HasPrefix(p, metadataName) {
				out = append(out, b[done:at]...)
				done = at + size
				out = rtmp.AppendMessage(out, &rtmp.Message{Type: m.Type, StreamID: m.StreamID, Timestamp: m.Timestamp,
					ChunkStream: rtmp.DefaultChunkStream(m.Type), Payload: slices.Concat(setDataFrame, p)}, live.ChunkSize)
			}
		}
		at += size
	}
	if out == nil {
		return b, nil
	}
	return append(out, b[done:]...), nil
}
