package ingest

import "weir/rtmp"

// Normalize returns a client's message as streams hold it, and false for what is
// not part of a stream. The payload is the message's own, without a
// "@setDataFrame" in front.
func Normalize(m *rtmp.Message) (typ rtmp.MessageType, payload []byte, ok bool) {
	typ, payload = m.Type, m.Payload
	switch typ {
	case rtmp.Audio, rtmp.Video:
		return typ, payload, true
	case rtmp.DataAMF3:
		// In all that clients send, AMF3 data is AMF0 behind one zero byte.
		if len(payload) == 0 || payload[0] != 0 {
			return 0, nil, false
		}
		payload = payload[1:]
	case rtmp.DataAMF0:
	default:
		return 0, nil, false
	}
	if body, ok := rtmp.StripSetDataFrame(payload); ok {
		payload = body
	}
	return rtmp.DataAMF0, payload, true
}
