package flv_test

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"weir/flv"
)

// What a server asks of each message before it stores it.
func ExampleParseVideo() {
	message := []byte("\x91hvc1\x00\x00\x21picture") // Enhanced RTMP: HEVC, a key frame
	v, err := flv.ParseVideo(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.FourCC, v.Keyframe, v.SequenceHeader, v.CompositionTime)
	fmt.Printf("%s\n", message[v.BodyOffset:])
	// Output:
	// hvc1 true false 33
	// picture
}

// The tracks of a multitrack message, each with its codec.
func ExampleVideoInfo_Tracks() {
	message := []byte("\x96\x23av01\x00\x00\x00\x03onehvc1\x01\x00\x00\x03two")
	v, err := flv.ParseVideo(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	for t := range v.Tracks(message) {
		fmt.Printf("%d %v %s\n", t.ID, t.FourCC, t.Body)
	}
	// Output:
	// 0 av01 one
	// 1 hvc1 two
}

func ExampleParseAudio() {
	message := []byte{0xAF, 0x00, 0x12, 0x10}
	a, err := flv.ParseAudio(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	config, err := flv.ParseAudioConfig(a.FourCC, message[a.BodyOffset:])
	fmt.Println(a.SequenceHeader, config.Codec, config.SampleRate, config.Channels, err)
	// Output: true mp4a.40.2 44100 2 <nil>
}

func ExampleWriter() {
	var file bytes.Buffer
	w := flv.NewWriter(&file)
	if err := w.WriteHeader(true, false); err != nil {
		fmt.Println(err)
	}
	if err := w.WriteTag(flv.TagAudio, 20, []byte{0xAF, 0x01, 0xFF}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(file.Len() == flv.HeaderSize+flv.TagOverhead+3)
	// Output: true
}

func ExampleReader() {
	file, err := os.Open("testdata/avc-aac.flv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	r := flv.NewReader(file, 0)
	for {
		tag, err := r.ReadTag()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if tag.Type != flv.TagVideo {
			continue
		}
		v, err := flv.ParseVideo(tag.Payload)
		if err != nil || !v.SequenceHeader {
			continue
		}
		config, err := flv.ParseVideoConfig(v.FourCC, tag.Payload[v.BodyOffset:])
		fmt.Println(config.Width, config.Height, err)
	}
	// Output: 66 38 <nil>
}
