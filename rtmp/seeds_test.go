package rtmp

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// capture is what one side of a session between real programs sent; see
// testdata/captures/README.md.
type capture struct {
	name      string // file name
	client    bool   // the client's side
	handshake []byte // C0 C1 C2, or S0 S1 S2
	chunks    []byte // what follows; may end in mid-message
}

func captures(tb testing.TB) []capture {
	tb.Helper()
	paths, err := filepath.Glob("testdata/captures/*.bin")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no captures (%v)", err)
	}
	var cs []capture
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		const n = 1 + 2*packetSize
		cs = append(cs, capture{filepath.Base(path), strings.HasSuffix(path, ".client.bin"), b[:n:n], b[n:]})
	}
	return cs
}

// messages returns the whole messages of a capture.
func (c capture) messages(tb testing.TB) []Message {
	tb.Helper()
	var ms []Message
	d := NewDecoder(Limits{})
	defer d.Release()
	for p := c.chunks; len(p) > 0; {
		n, m, err := d.Decode(p)
		if err != nil {
			tb.Fatalf("%s: %v", c.name, err)
		}
		if m != nil {
			own := *m
			own.Payload = bytes.Clone(m.Payload)
			ms = append(ms, own)
		}
		p = p[n:]
	}
	return ms
}

// seedSize bounds a seed: the engine mutates short inputs better, and the naive
// reader compares only those.
const seedSize = 12 << 10 // bytes

func addCapturedChunks(f *testing.F) {
	for i, c := range captures(f) {
		f.Add(c.chunks[:min(len(c.chunks), seedSize)], uint8(i))
	}
}

func addCapturedHandshakes(f *testing.F) {
	for _, c := range captures(f) {
		f.Add(c.handshake, c.client)
	}
}

// addCapturedControl adds what FuzzControl takes: a type and a payload.
func addCapturedControl(f *testing.F) {
	for _, c := range captures(f) {
		for _, m := range c.messages(f) {
			if m.Type.IsControl() {
				f.Add(uint8(m.Type), m.Payload)
			}
		}
	}
}

// capturedPayloads returns the distinct payloads of the given types.
func capturedPayloads(tb testing.TB, types ...MessageType) [][]byte {
	tb.Helper()
	var all [][]byte
	for _, c := range captures(tb) {
		for _, m := range c.messages(tb) {
			if slices.Contains(types, m.Type) && !slices.ContainsFunc(all, func(p []byte) bool { return bytes.Equal(p, m.Payload) }) {
				all = append(all, m.Payload)
			}
		}
	}
	return all
}

// Every session of a real program decodes without an error, whole and in pieces
// alike, and holds what that program is known to say.
func TestCapturedSessionsDecode(t *testing.T) {
	for _, c := range captures(t) {
		t.Run(c.name, func(t *testing.T) {
			ms := c.messages(t)
			var commands [][]byte
			media := 0
			for _, m := range ms {
				switch {
				case m.Type == CommandAMF0:
					commands = append(commands, m.Payload)
				case m.Type.IsMedia():
					media++
				}
			}
			has := func(name string) bool {
				return slices.ContainsFunc(commands, func(p []byte) bool { return bytes.Contains(p, []byte(name)) })
			}
			want := []string{"connect", "createStream"}
			publishes := strings.Contains(c.name, "publish") || strings.Contains(c.name, "push")
			switch {
			case !c.client:
				want = []string{"_result", "onStatus"}
			case publishes:
				want = append(want, "publish")
			default:
				want = append(want, "play")
			}
			for _, name := range want {
				if !has(name) {
					t.Errorf("no %s among %d commands", name, len(commands))
				}
			}
			if c.client == publishes && media < 10 {
				t.Errorf("%d media messages", media)
			}
			for _, piece := range []int{1, 7, 1000} {
				if got := (capture{name: c.name, chunks: c.chunks}).inPieces(t, piece); got != len(ms) {
					t.Errorf("%d messages in pieces of %d, %d at once", got, piece, len(ms))
				}
			}
		})
	}
}

// inPieces counts the messages that come out when the bytes arrive in pieces.
func (c capture) inPieces(t *testing.T, piece int) (messages int) {
	t.Helper()
	d := NewDecoder(Limits{})
	defer d.Release()
	for part := range slices.Chunk(c.chunks, piece) {
		for len(part) > 0 {
			n, m, err := d.Decode(part)
			if err != nil {
				t.Fatal(err)
			}
			if m != nil {
				messages++
			}
			part = part[n:]
		}
	}
	return messages
}
