package amf

import "testing"

// metadata is an onMetaData of the size that OBS sends.
var metadata = ECMAArray{
	{"duration", 0.0}, {"fileSize", 0.0}, {"width", 1920.0}, {"height", 1080.0}, {"videocodecid", 7.0}, {"videodatarate", 2500.0},
	{"framerate", 30.0}, {"audiocodecid", 10.0}, {"audiodatarate", 160.0}, {"audiosamplerate", 48000.0}, {"audiosamplesize", 16.0},
	{"audiochannels", 2.0}, {"stereo", true}, {"2.1", false}, {"encoder", "obs-output module (libobs version 30.0.2)"},
}

func BenchmarkDecode0(b *testing.B) {
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"connect-ffmpeg", unhex(b, connectFFmpeg)},
		{"onMetaData-15-fields", Append0(Append0(nil, "onMetaData"), metadata)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := all(NewDecoder0(c.in, Limits{})); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend0(b *testing.B) {
	buf := Append0(nil, metadata)
	var v any = metadata
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = Append0(buf[:0], v)
	}
}

func BenchmarkDecode3(b *testing.B) {
	in := Append3(nil, Object(metadata))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := all(NewDecoder3(in, Limits{})); err != nil {
			b.Fatal(err)
		}
	}
}
