package flv

import (
	"bytes"
	"testing"
)

// A stream of 2.5 Mb/s at 30 pictures a second: an inter frame has about 10 KiB.
const interFrame = 10 << 10

func BenchmarkParseVideo(b *testing.B) {
	for _, c := range []struct{ name, hex string }{
		{"avc-inter", "27 01 000021"},
		{"hevc-inter", "a1" + hexHEVC + "000021"},
		{"hevc-nano-3-tracks", "a7 02 000007 06 13" + hexHEVC + "00 000001 aa 01 000001 bb 02 000001 cc"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := unhex(b, c.hex)
			if c.name != "hevc-nano-3-tracks" {
				p = append(p, make([]byte, interFrame)...)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseVideo(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseAudio(b *testing.B) {
	p := append([]byte{0xAF, 1}, make([]byte, 340)...) // 128 kb/s AAC
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseAudio(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendTag(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"inter-10KiB", interFrame}, {"key-100KiB", 100 << 10}, {"aac-340B", 340}} {
		b.Run(c.name, func(b *testing.B) {
			payload := make([]byte, c.size)
			buf := make([]byte, 0, c.size+TagOverhead)
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendTag(buf[:0], TagVideo, 12345, payload)
			}
		})
	}
}

// BenchmarkReader reads a GOP of 2 s at 2.5 Mb/s.
func BenchmarkReader(b *testing.B) {
	file := AppendHeader(nil, true, true)
	file = AppendTag(file, TagVideo, 0, make([]byte, 100<<10))
	for i := range 59 {
		file = AppendTag(file, TagVideo, uint32(i*33), make([]byte, interFrame))
		file = AppendTag(file, TagAudio, uint32(i*33), make([]byte, 340))
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(file), 0)
		n := 0
		for {
			if _, err := r.ReadTag(); err != nil {
				break
			}
			n++
		}
		if n != 119 {
			b.Fatal(n)
		}
	}
}
