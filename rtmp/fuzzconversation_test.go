package rtmp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"weir/amf"
)

func addCapturedCommands(f *testing.F) {
	for _, p := range capturedPayloads(f, CommandAMF0, CommandAMF3, DataAMF0) {
		f.Add(p, false)
	}
}

// FuzzCommand: what is read as a command is written and read again as the same
// name, transaction and number of arguments.
func FuzzCommand(f *testing.F) {
	f.Add([]byte{0, 2, 0, 1, 'x', 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, true)
	f.Add([]byte{2, 0, 1, 'x', 0x11, 4, 1, 0x11, 10, 11, 1, 1}, true)
	f.Add([]byte(setDataFrame), false)
	addCapturedCommands(f)
	f.Fuzz(func(t *testing.T, payload []byte, amf3 bool) {
		m := Message{Type: CommandAMF0, StreamID: 1, Payload: payload}
		if amf3 {
			m.Type = CommandAMF3
		}
		resources(t, len(payload), func() {
			c, err := ParseCommand(&m, amf.Limits{})
			if err != nil {
				if reasonOf(err) != ReasonBadCommand {
					t.Fatalf("%v", err)
				}
				return
			}
			parseConnect(&c).object()
			parsePlay(&c)
			parseStatus(c.Args)
			again, err := ParseCommand(&Message{Type: CommandAMF0, StreamID: 1, Payload: AppendCommand(nil, &c)}, amf.Limits{Bytes: 1 << 30, Values: 1 << 30, Depth: 512})
			if err != nil || again.Name != c.Name || again.Transaction != c.Transaction || len(again.Args) != len(c.Args) {
				t.Fatalf("%+v\n%+v %v", c, again, err)
			}
		})
		resources(t, len(payload), func() {
			m.Type = DataAMF0
			if _, _, err := ParseData(&m, amf.Limits{}); err != nil && reasonOf(err) != ReasonBadCommand {
				t.Fatalf("%v", err)
			}
			ParseMetadata(&m, amf.Limits{})
			p, ok := StripSetDataFrame(payload)
			if ok && len(p) != len(payload)-len(setDataFrame) {
				t.Fatal("stripped something else")
			}
		})
	})
}

func addConversations(f *testing.F) {
	for _, c := range captures(f) {
		f.Add(c.chunks[:min(len(c.chunks), seedSize)], uint8(200), c.client)
	}
	hello := cat(connectTo("live"), call(0, "createStream", 2.0, nil))
	f.Add(cat(hello, call(1, "publish", 0.0, nil, "a", "live"), media(1, Video, "v"), call(0, "FCUnpublish", 3.0, nil, "a")), uint8(10), true)
	f.Add(cat(hello, call3(1, "play", 0.0, nil, "a"), call3(1, "play2", 0.0, nil, amf.Object{{Key: "streamName", Value: "b"}}), call(1, "pause", 3.0, nil, true),
		call(1, "seek", 0.0, nil, 1.0), call(1, "play", 0.0, nil, false), call(0, "deleteStream", 0.0, nil, 1.0)), uint8(7), true)
	// The most questions that fit, in the smallest pieces.
	for _, q := range [][]byte{call(0, "createStream", 1.0), call(0, "getStreamLength", 1.0), call(0, "FCPublish", 1.0, nil, "a"), call(0, "x", 1.0), call(1, "pause", 1.0, nil, true)} {
		f.Add(cat(hello, bytes.Repeat(q, (32<<10-len(hello))/len(q))), uint8(0), true)
	}
	f.Add(cat(call(0, "_result", 1.0, nil, amf.Object{{Key: "code", Value: CodeConnectSuccess}}), call(0, "_result", 2.0, nil, 1.0),
		call(1, "onStatus", 0.0, nil, amf.Object{{Key: "code", Value: CodePlayStart}}), call(0, "close", 0.0, nil)), uint8(9), false)
}

// FuzzServerConversation: whatever one side says, the other ends with a reason,
// keeps within its limits, and answers with well-formed messages no longer than
// a constant times what was asked.
func FuzzServerConversation(f *testing.F) {
	addConversations(f)
	lim := Limits{Message: 64 << 10, Command: 16 << 10, ChunkStreams: 8, ChunkWork: 4096, NetStreams: 4}
	f.Fuzz(func(t *testing.T, input []byte, size uint8, toServer bool) {
		if len(input) > 32<<10 {
			return // each answer costs more memory than its question
		}
		nc := &monologue{out: make([]byte, 0, 64*len(input)+4096)}
		// What the other side itself takes is counted, not this test's own account of it.
		resources(t, len(input), func() {
			nc.in, nc.piece, nc.out = input, 1+int(size), nc.out[:0]
			var err error
			if toServer {
				s := NewServerConn(nc, Options{Limits: lim})
				err = serveQuietly(s)
				if len(s.streams) > lim.NetStreams || s.refusals > MaxRefusals+1 {
					t.Fatalf("%d streams, %d refusals", len(s.streams), s.refusals)
				}
			} else {
				c := NewClientConn(nc, Options{Limits: lim})
				if _, err = c.Connect(&Connect{App: "live"}); err == nil {
					for err == nil {
						_, err = c.Next()
					}
				}
				if len(c.answers) != 0 {
					t.Fatal("something waits")
				}
			}
			var refused *StatusError
			if err != io.EOF && err != ErrClosed && reasonOf(err) == "" && !errors.As(err, &refused) {
				t.Fatalf("an error without a reason: %v", err)
			}
		})
		if len(nc.out) > 64*len(input)+4096 {
			t.Fatalf("%d bytes in answer to %d", len(nc.out), len(input))
		}
		ms, err := decodeAll(NewDecoder(Limits{}), nc.out, whole)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			if m.Type == CommandAMF0 {
				if _, err := ParseCommand(&m, amf.Limits{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// monologue is a connection whose far side says in, piece bytes a read, and
// listens to nothing. It allocates only when out outgrows its capacity.
type monologue struct {
	net.Conn // nil: what is not below is not called
	in, out  []byte
	piece    int
}

func (m *monologue) Read(p []byte) (int, error) {
	if len(m.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.in[:min(m.piece, len(m.in))])
	m.in = m.in[n:]
	return n, nil
}

func (m *monologue) Write(p []byte) (int, error) {
	m.out = append(m.out, p...)
	return len(p), nil
}

func (m *monologue) SetWriteDeadline(time.Time) error { return nil }
func (m *monologue) SetReadDeadline(time.Time) error  { return nil }
func (m *monologue) Close() error                     { return nil }

// serveQuietly is serve without the words.
func serveQuietly(s *ServerConn) error {
	if _, err := s.ReadConnect(); err != nil {
		return err
	}
	err := s.AcceptConnect(nil)
	for err == nil {
		var ev Event
		if ev, err = s.Next(); err != nil {
			break
		}
		switch {
		case ev.Kind == EventPublish && len(ev.Publish.Name)%2 == 0:
			err = s.RejectPublish(ev.Publish, CodePublishBadName, "no")
		case ev.Kind == EventPublish:
			err = s.AcceptPublish(ev.Publish, nil)
		case ev.Kind == EventPlay && len(ev.Play.Name)%2 == 0:
			err = s.RejectPlay(ev.Play, CodePlayStreamNotFound, "no")
		case ev.Kind == EventPlay:
			err = s.AcceptPlay(ev.Play, nil)
		}
	}
	return err
}
