package member

import (
	"weir/amf"
	"weir/rtmp"
)

// CodeClock is the code of the status that tells a node on which clock the frames
// after it are. It comes in the midst of a play, before the first frame of each clock.
const CodeClock = "Weir.Play.Clock"

// AppendClock appends that status, a whole message, for a clock as package live has
// it: a base and how far it was moved, in ms.
func AppendClock(dst []byte, streamID uint32, base string, shift uint32, chunkSize int) []byte {
	info := amf.Object{{Key: "level", Value: rtmp.LevelStatus}, {Key: "code", Value: CodeClock}, {Key: "base", Value: base}, {Key: "shift", Value: float64(shift)}}
	return rtmp.AppendCommandMessage(dst, &rtmp.Command{Name: "onStatus", StreamID: streamID, Args: []any{info}}, chunkSize)
}

// ParseClock reads the information of that status.
func ParseClock(info amf.Object) (base string, shift uint32) {
	return info.String("base"), milliseconds(info.Number("shift"))
}

// milliseconds is a time of 32 bits out of a number that a peer has sent.
func milliseconds(f float64) uint32 {
	if f >= 0 && f < 1<<32 {
		return uint32(f)
	}
	return 0
}
