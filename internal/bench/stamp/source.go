package stamp

import (
	"math"
	"time"

	"weir/flv"
)

// Shape says what a synthetic stream looks like. Zero fields take the defaults:
// 2.5 Mb/s, 30 pictures a second, a key frame every 2 s, 43.066 AAC frames a
// second (44.1 kHz) at 128 kb/s.
type Shape struct {
	VideoBitrate int           // bits per second
	FrameRate    float64       // pictures per second
	GOP          time.Duration // from key frame to key frame
	AudioBitrate int           // bits per second
	AudioRate    float64       // AAC frames per second; negative = no audio
	KeyRatio     float64       // size of a key frame over that of another; default 6
}

func (s Shape) withDefaults() Shape {
	def := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&s.FrameRate, 30)
	def(&s.AudioRate, 44100.0/1024)
	def(&s.KeyRatio, 6)
	if s.VideoBitrate == 0 {
		s.VideoBitrate = 2_500_000
	}
	if s.AudioBitrate == 0 {
		s.AudioBitrate = 128_000
	}
	if s.GOP == 0 {
		s.GOP = 2 * time.Second
	}
	return s
}

// Frame is one message of a stream.
type Frame struct {
	Type      uint8 // FLV tag type = RTMP message type
	Timestamp int64 // milliseconds from the start of the run
	Payload   []byte
	Key       bool
}

// Source yields the frames of one run of a publisher. Sequence numbers start at 0
// in each track; the first picture is a key frame. One goroutine.
type Source struct {
	shape    Shape
	stream   uint64
	epoch    uint64
	gop      uint64 // pictures from key frame to key frame
	keySize  int    // bytes
	size     int    // bytes of other pictures
	audio    int    // bytes of an audio frame
	pictures uint64 // yielded so far
	sounds   uint64
}

// NewSource returns a source of the named stream. epoch orders the runs of one
// publisher: give a restarted one a higher number.
func NewSource(name string, epoch uint64, shape Shape) *Source {
	shape = shape.withDefaults()
	s := &Source{shape: shape, stream: ID(name), epoch: epoch}
	s.gop = uint64(max(1, math.Round(shape.GOP.Seconds()*shape.FrameRate)))
	perGOP := float64(shape.VideoBitrate) / 8 / shape.FrameRate * float64(s.gop)
	unit := perGOP / (float64(s.gop-1) + shape.KeyRatio)
	s.size, s.keySize = int(unit), int(unit*shape.KeyRatio)
	if shape.AudioRate > 0 {
		s.audio = int(float64(shape.AudioBitrate) / 8 / shape.AudioRate)
	}
	return s
}

// The codec headers are real ones (Constrained Baseline 3.1 and AAC LC 44.1 kHz
// stereo), so that a server that reads them finds what it expects.
var (
	avcHeader = []byte{
		0x17, 0, 0, 0, 0,
		1, 0x42, 0xc0, 0x1f, 0xff, 0xe1,
		0, 15, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
		1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
	}
	aacHeader = []byte{0xaf, 0, 0x12, 0x10}
)

// Headers returns the sequence headers that go before the first frame.
func (s *Source) Headers() []Frame {
	h := []Frame{{Type: flv.TagVideo, Payload: avcHeader, Key: true}}
	if s.audio > 0 {
		h = append(h, Frame{Type: flv.TagAudio, Payload: aacHeader})
	}
	return h
}

// Due returns the timestamp of the frame that Next would yield, in exact time
// since the start of the run.
func (s *Source) Due() time.Duration {
	v, a := s.due()
	return min(v, a)
}

func (s *Source) due() (video, audio time.Duration) {
	video = time.Duration(float64(s.pictures) * float64(time.Second) / s.shape.FrameRate)
	audio = math.MaxInt64
	if s.audio > 0 {
		audio = time.Duration(float64(s.sounds) * float64(time.Second) / s.shape.AudioRate)
	}
	return video, audio
}

// Next appends the payload of the next frame to buf[:0], stamped with the time
// sent, and returns the frame; it is valid until the next call with that buffer.
func (s *Source) Next(buf []byte, sent time.Time) Frame {
	video, audio := s.due()
	st := Stamp{Stream: s.stream, Epoch: s.epoch, Sent: sent}
	if audio < video {
		st.Sequence = s.sounds
		s.sounds++
		return Frame{Type: flv.TagAudio, Timestamp: audio.Milliseconds(), Payload: appendAudio(buf[:0], st, s.audio)}
	}
	st.Sequence = s.pictures
	key := s.pictures%s.gop == 0
	s.pictures++
	size := s.size
	if key {
		size = s.keySize
	}
	return Frame{Type: flv.TagVideo, Timestamp: video.Milliseconds(), Payload: appendVideo(buf[:0], st, key, size), Key: key}
}
