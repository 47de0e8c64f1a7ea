package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"weir/internal/bench/stamp"
)

// Opus in enhanced RTMP (v2) arrives byte for byte. No release of ffmpeg or GStreamer
// that can be installed here puts Opus into FLV, so the publisher is written here, around
// packets that libopus encoded; the players that carry any codec record it.
func TestEnhancedOpus(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "opus.ogg")
	_, err := execute(ffmpeg7(t), "-v", "error", "-nostdin", "-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*(200+20*t)*t)':s=48000:d=30",
		"-c:a", "libopus", "-b:a", "64k", "-frame_duration", "20", out)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := readOgg(out)
	if err != nil {
		t.Fatal(err)
	}
	feed := newOpusFeed(packets)
	n := startNode(t, nodeOptions{name: "alone", roles: "front,origin,edge"})
	g := n.target("live", "opus")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- stamp.Publish(ctx, stamp.PublishOptions{URL: g.url(), Feed: feed}) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	n.published(t, "live", "opus")

	s := &source{codec: "opus", enhanced: true}
	var at []*playing
	for _, pl := range players {
		if pl.name == "rtmpdump" || pl.name == "gstreamer" {
			at = append(at, pl.start(t, s, g, 3))
		}
	}
	for _, p := range at {
		t.Run(p.player, func(t *testing.T) {
			var tags []tag
			eventually(t, "three seconds recorded", func() (err error) {
				tags, _, err = readTags(p.record)
				if err == nil && span(tags) < 3000 {
					err = fmt.Errorf("%.0f ms", span(tags))
				}
				return err
			})
			p.stop(syscall.SIGINT)
			if err := ordered(tags); err != nil {
				t.Fatal(err)
			}
			if err := feed.unbroken(tags); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// opusFeed publishes Opus packets of 20 ms.
type opusFeed struct {
	header  []byte
	packets [][]byte // whole payloads
	next    int
}

const opusPacket = 20 * time.Millisecond

// newOpusFeed takes the packets of an Ogg Opus file (RFC 7845): the identification
// header is what the sequence header carries, the comment header is left out.
func newOpusFeed(packets [][]byte) *opusFeed {
	// SoundFormat 9: the packet type and a FourCC follow.
	const sequenceStart, codedFrames = 0x90, 0x91
	f := &opusFeed{header: append([]byte{sequenceStart, 'O', 'p', 'u', 's'}, packets[0]...)}
	for _, p := range packets[2:] {
		f.packets = append(f.packets, append([]byte{codedFrames, 'O', 'p', 'u', 's'}, p...))
	}
	return f
}

func (f *opusFeed) Headers() []stamp.Frame { return []stamp.Frame{{Type: 8, Payload: f.header}} }
func (f *opusFeed) Due() time.Duration     { return time.Duration(f.next) * opusPacket }

func (f *opusFeed) Next(_ []byte, _ time.Time) stamp.Frame {
	due := f.Due()
	p := f.packets[f.next%len(f.packets)]
	f.next++
	// A copy: the caller may write to what it got.
	return stamp.Frame{Type: 8, Timestamp: due.Milliseconds(), Payload: bytes.Clone(p)}
}

// unbroken checks that the tags hold the header and then packets in their order.
func (f *opusFeed) unbroken(tags []tag) error {
	place := -1
	n := 0
	for _, t := range tags {
		switch {
		case t.typ != 8:
		case t.header():
			if !bytes.Equal(t.payload, f.header) {
				return fmt.Errorf("header % x, want % x", t.payload, f.header)
			}
		case place < 0:
			for i, p := range f.packets {
				if bytes.Equal(p, t.payload) {
					place = i
				}
			}
			if place < 0 {
				return fmt.Errorf("packet at %d ms was never sent", t.ms)
			}
			n++
		default:
			place++
			if !bytes.Equal(f.packets[place], t.payload) {
				return fmt.Errorf("packet at %d ms is not number %d", t.ms, place)
			}
			n++
		}
	}
	if n < 140 {
		return fmt.Errorf("%d packets in three seconds", n)
	}
	return nil
}
