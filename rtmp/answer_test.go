package rtmp

import (
	"bytes"
	"strings"
	"testing"

	"weir/amf"
)

// What is put together byte by byte is what its values would be, in chunks of any size.
func TestStatusesAreTheirValuesInBytes(t *testing.T) {
	for _, description := range []string{"", "Started playing alice.", "Привет", strings.Repeat("x", 300), strings.Repeat("y", 70_000)} {
		for _, extra := range []amf.Object{nil, {}, {{Key: "clientid", Value: "7"}, {Key: "n", Value: 1.5}}} {
			for _, chunk := range []int{1, 128, 4096, MaxChunkSize} {
				s := NewServerConn(&deadlineConn{}, Options{})
				s.chunkSize = chunk
				info := amf.Object{{Key: "level", Value: LevelStatus}, {Key: "code", Value: CodePlayStart}, {Key: "description", Value: description}}
				payload := AppendCommand(nil, &Command{Name: "onStatus", Args: []any{append(info, extra...)}})
				want := AppendMessage([]byte("before"), &Message{Type: CommandAMF0, StreamID: 7, Payload: payload}, chunk)
				got := s.AppendStatus([]byte("before"), 7, LevelStatus, CodePlayStart, description, extra)
				if !bytes.Equal(got, want) {
					t.Errorf("%.20q, %v, chunks of %d: %d bytes, want %d", description, extra, chunk, len(got), len(want))
				}
			}
		}
	}
}

func TestCommandMessageInChunksOfAnySize(t *testing.T) {
	c := &Command{Name: "call", Transaction: 3, StreamID: 5, Args: []any{strings.Repeat("abc", 200), true}}
	for _, chunk := range []int{1, 128, 600, 4096} {
		want := AppendMessage([]byte("before"), &Message{Type: CommandAMF0, StreamID: 5, Payload: AppendCommand(nil, c)}, chunk)
		if got := AppendCommandMessage([]byte("before"), c, chunk); !bytes.Equal(got, want) {
			t.Errorf("chunks of %d: %d bytes, want %d", chunk, len(got), len(want))
		}
	}
}

// An answer to play is written into one piece of memory.
func TestAcceptPlayAllocatesLittle(t *testing.T) {
	if raceEnabled {
		return // it allocates itself
	}
	s := NewServerConn(&deadlineConn{}, Options{})
	s.chunkSize = 4096
	r := &PlayRequest{StreamID: 1, Name: "alice", Reset: true}
	if n := testing.AllocsPerRun(100, func() { s.AppendAcceptPlay(nil, r, nil) }); n > 3 {
		t.Errorf("%v allocations", n) // the bytes, and two descriptions
	}
}

// No two handshakes are the same, though their bytes are cut out of the same ones.
func TestNoiseDiffers(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p := make([]byte, packetSize)
		if n, err := (noise{}).Read(p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		if seen[string(p)] || bytes.Count(p, []byte{0}) > packetSize/20 {
			t.Fatal("the same bytes again, or too few of them")
		}
		seen[string(p)] = true
	}
}
