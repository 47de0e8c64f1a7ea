package clip

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"weir/flv"
)

// Length is the duration of one loop: the instant at which both tracks end.
const Length = 8 * time.Second

//go:embed clip.flv
var file []byte

// File returns the clip as an FLV file; the caller must not change it.
func File() []byte { return file }

// Frame is one RTMP message of the clip.
type Frame struct {
	// Type is the RTMP message type, which is the FLV tag type: audio 8, video 9,
	// data 18.
	Type uint8
	// Timestamp is the decoding time in milliseconds since the first frame of the
	// first loop. It does not wrap; the wire's 32 bits are uint32(Timestamp).
	Timestamp int64
	// Payload is the tag body, shared and read-only. The data message is
	// "onMetaData" without a "@setDataFrame" in front.
	Payload []byte
	// Key marks the pictures at which decoding can start.
	Key bool
}

// contents is the clip cut in two: what is sent once and what is repeated.
type contents struct{ headers, media []Frame }

var load = sync.OnceValues(func() (contents, error) { return parse(file) })

// parse reads an FLV file. Metadata and sequence headers are sent once, before
// the first loop: a receiver keeps them, and repeating them would only be noise.
func parse(p []byte) (contents, error) {
	var c contents
	r := flv.NewReader(bytes.NewReader(p), 0)
	if _, err := r.ReadHeader(); err != nil {
		return c, err
	}
	for {
		tag, err := r.ReadTag()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, err
		}
		f := Frame{Type: tag.Type, Timestamp: int64(tag.Timestamp), Payload: bytes.Clone(tag.Payload)}
		header := false
		switch tag.Type {
		case flv.TagAudio:
			info, err := flv.ParseAudio(tag.Payload)
			if err != nil {
				return c, err
			}
			header = info.SequenceHeader
		case flv.TagVideo:
			info, err := flv.ParseVideo(tag.Payload)
			if err != nil {
				return c, err
			}
			header, f.Key = info.SequenceHeader, info.Keyframe && !info.SequenceHeader
		default:
			header = true
		}
		if header {
			c.headers = append(c.headers, f)
		} else {
			c.media = append(c.media, f)
		}
	}
	if len(c.media) == 0 || len(c.headers) == 0 {
		return c, fmt.Errorf("clip: %d headers and %d frames", len(c.headers), len(c.media))
	}
	return c, nil
}
