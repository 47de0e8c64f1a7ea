package node_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/amf"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// stranger is one case of "Bytes from strangers": what is sent, and the one word
// that the session's closing line says of it.
type stranger struct {
	name   string
	run    func(a *attack)
	reason string // clientLeft: the session survives, until its client closes
	heap   int64  // most that the heap may grow meanwhile, in bytes; 0 = 8 MiB
}

const clientLeft = "client-closed"

// after is a case that sends bytes on a connection after connect.
func after(wire ...[]byte) func(*attack) {
	return func(a *attack) { raw(a.connected(), wire...) }
}

// survives is after, with an answer to what follows.
func survives(wire ...[]byte) func(*attack) {
	return func(a *attack) {
		c := a.connected()
		raw(c, wire...)
		a.alive(c)
	}
}

func first(wire ...[]byte) func(*attack) {
	return func(a *attack) { a.say(slices.Concat(wire...)) }
}

func strangers() []stranger {
	setChunkSize := func(n uint32) []byte { return rtmp.AppendSetChunkSize(nil, n) }
	begun := append(setChunkSize(128), chunk(0, 6, append(head(0, 1000, rtmp.Video, 1), make([]byte, 128)...)...)...)
	whole := setChunkSize(rtmp.DefaultChunkSize)
	var cases []stranger
	add := func(s ...stranger) { cases = append(cases, s...) }

	// Something else than RTMP.
	add(
		stranger{name: "C0 is not 3", run: first([]byte{42}), reason: "not-rtmp"},
		stranger{name: "TLS hello", run: first([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}), reason: "tls-on-plain-port"},
		stranger{name: "HTTP GET", run: first([]byte("GET / HTTP/1.1\r\nHost: weir\r\n\r\n")), reason: "http-on-rtmp-port"},
		stranger{name: "PROXY v1", run: first([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), simpleC0C1()), reason: "unexpected-proxy"},
		stranger{name: "PROXY v2, malformed", run: first([]byte("\r\n\r\n\x00\r\nQUIT\n\xff\xff\xff\xff")), reason: "unexpected-proxy"},
		stranger{name: "RTMPE", run: first([]byte{6}, make([]byte, 1536)), reason: "rtmpe-unsupported"},
		stranger{name: "garbage after the handshake", run: func(a *attack) { raw(a.greeted(), bytes.Repeat([]byte{0xff}, 4096)) }, reason: "bad-first-chunk"},
	)

	// Time.
	add(
		stranger{name: "says nothing", run: first(), reason: "handshake-timeout"},
		stranger{name: "handshake drips", run: drip, reason: "handshake-timeout"},
		stranger{name: "handshake and no connect", run: func(a *attack) { a.greeted() }, reason: "handshake-timeout"},
		stranger{name: "connects and is idle, 200 times", run: func(a *attack) {
			for range 200 {
				a.connected()
			}
		}, reason: "command-timeout"},
		stranger{name: "connects and chats for ever", run: chat, reason: "command-timeout"},
		stranger{name: "publishes nothing", run: func(a *attack) { a.publishing("nothing") }, reason: "first-media-timeout"},
		stranger{name: "a message announced and never sent, 32 times", run: announce, reason: "first-media-timeout", heap: 6 << 20},
	)

	// Chunks.
	add(
		stranger{name: "chunk size 0", run: after(setChunkSize(0)), reason: "bad-chunk-size"},
		stranger{name: "chunk size with the top bit", run: after(setChunkSize(1 << 31)), reason: "bad-chunk-size"},
		stranger{name: "chunk size 2^31-1", run: survives(setChunkSize(math.MaxInt32)), reason: clientLeft},
		stranger{name: "chunk size 1", run: chunkSizeOne, reason: clientLeft},
		stranger{name: "chunk size 1 without end", run: tinyChunks, reason: "chunk-work"},
		stranger{name: "empty messages without end", run: emptyMessages, reason: "chunk-work"},
		stranger{name: "16 MB announced", run: after(chunk(0, 6, append(head(0, 1<<24-1, rtmp.Video, 1), make([]byte, 128)...)...)), reason: "message-too-large"},
		stranger{name: "65,600 chunk streams", run: manyChunkStreams, reason: "too-many-chunk-streams"},
		stranger{name: "large messages begun on every chunk stream", run: manyPartials, reason: "too-many-partial-bytes"},
		stranger{name: "smaller length in mid-message", run: after(begun, chunk(0, 6, head(0, 10, rtmp.Video, 1)...)), reason: "header-in-mid-message"},
		stranger{name: "type 1 first", run: after(chunk(1, 6, 0, 0, 0, 0, 0, 4, byte(rtmp.Video), 1, 2, 3, 4)), reason: "bad-first-chunk"},
		stranger{name: "type 2 first", run: after(chunk(2, 6, 0, 0, 0)), reason: "bad-first-chunk"},
		stranger{name: "type 3 first", run: after(chunk(3, 6)), reason: "bad-first-chunk"},
		stranger{name: "aborts of everything", run: survives(begun, rtmp.AppendAbort(nil, 6), rtmp.AppendAbort(nil, 6), rtmp.AppendAbort(nil, 63),
			rtmp.AppendAbort(nil, math.MaxUint32), begun, rtmp.AppendAbort(nil, 6), whole), reason: clientLeft},
		stranger{name: "closes in mid-message", run: func(a *attack) {
			c := a.connected()
			raw(c, begun, whole)
			a.alive(c)
			a.leave()
		}, reason: "truncated"},
	)

	// Control messages.
	for _, typ := range []rtmp.MessageType{rtmp.SetChunkSize, rtmp.Abort, rtmp.Ack, rtmp.UserControl, rtmp.WindowAckSize, rtmp.SetPeerBandwidth} {
		for n := range 4 {
			add(stranger{name: fmt.Sprintf("%v of %d bytes", typ, n), run: after(controlMessage(typ, make([]byte, n)...)), reason: "short-control"})
		}
	}
	add(
		stranger{name: "ping request without a time", run: after(controlMessage(rtmp.UserControl, 0, byte(rtmp.PingRequest))), reason: "short-control"},
		stranger{name: "buffer length without a length", run: after(controlMessage(rtmp.UserControl, 0, byte(rtmp.SetBufferLength), 0, 0, 0, 1)), reason: "short-control"},
		stranger{name: "a control message of 2 KiB", run: after(controlMessage(rtmp.Ack, make([]byte, 2048)...)), reason: "message-too-large"},
		stranger{name: "window 0", run: window(0), reason: clientLeft},
		stranger{name: "window 1", run: window(1), reason: clientLeft},
		stranger{name: "window 2^32-1", run: window(math.MaxUint32), reason: clientLeft},
		stranger{name: "a bad aggregate", run: func(a *attack) {
			raw(a.publishing("aggregate"), message(rtmp.Aggregate, 1, []byte{9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1}))
		}, reason: "bad-aggregate"},
	)

	// Commands.
	nested := func(marker byte, depth int) []byte {
		var b []byte
		for range depth {
			b = append(b, marker, 0, 0, 0, 1)
		}
		return append(b, 5)
	}
	nested3 := []byte{0x11}
	for range 3000 {
		nested3 = append(nested3, 0x09, 0x03, 0x01) // an AMF3 array of one dense element
	}
	on := func(p []byte) []byte { return message(rtmp.CommandAMF0, 0, p) }
	add(
		stranger{name: "nested AMF0 arrays", run: after(on(append(command("x", 1.0), nested(0x0a, 3000)...))), reason: "bad-command"},
		stranger{name: "nested AMF0 objects", run: after(on(append(command("x", 1.0), bytes.Repeat([]byte{3, 0, 1, 'k'}, 4000)...))), reason: "bad-command"},
		stranger{name: "nested AMF3 arrays", run: after(on(append(command("x", 1.0), nested3...))), reason: "bad-command"},
		stranger{name: "10 MiB of nested arrays", run: after(chunk(0, 3, append(head(0, 10<<20, rtmp.CommandAMF0, 0), nested(0x0a, 20)...)...)), reason: "message-too-large"},
		stranger{name: "array of 2^32-1 values", run: after(on(append(command("x", 1.0), 0x0a, 0xff, 0xff, 0xff, 0xff))), reason: "bad-command"},
		stranger{name: "ECMA array of 2^32-1 values", run: after(on(append(command("x", 1.0), 0x08, 0xff, 0xff, 0xff, 0xff))), reason: "bad-command"},
		stranger{name: "string of 2^32-1 bytes", run: after(on(append(command("x", 1.0), 0x0c, 0xff, 0xff, 0xff, 0xff))), reason: "bad-command"},
		stranger{name: "AMF3 vector of 2^28 values", run: after(on(append(command("x", 1.0), 0x11, 0x0d, 0xff, 0xff, 0xff, 0xff, 0))), reason: "bad-command"},
		stranger{name: "2,000 values", run: after(on(append(command("x", 1.0), bytes.Repeat([]byte{5}, 2000)...))), reason: "bad-command"},
		stranger{name: "a command that is a number", run: after(on(amf.Append0(nil, 1.0))), reason: "bad-command"},
		stranger{name: "publish before connect", run: func(a *attack) {
			raw(a.greeted(), message(rtmp.CommandAMF0, 1, command("publish", 0.0, nil, "early", "live")))
		}, reason: "connect-expected"},
		stranger{name: "media before connect", run: func(a *attack) { raw(a.greeted(), message(rtmp.Video, 1, []byte{0x17, 0})) }, reason: "connect-expected"},
		stranger{name: "connect twice", run: after(on(command("connect", 2.0, amf.Object{{Key: "app", Value: "live"}}))), reason: "second-connect"},
		stranger{name: "createStream 10^6 times", run: createStreams, reason: "too-many-streams"},
		stranger{name: "unknown commands 10^6 times", run: unknownCommands, reason: "too-many-bad-commands"},
		stranger{name: "arguments missing and wrong", run: wrongArguments, reason: clientLeft},
		stranger{name: "play and publish on one stream", run: playAndPublish, reason: clientLeft},
		stranger{name: "play2 over a running play, 500 times", run: playOver, reason: clientLeft},
		stranger{name: "a name that is a path", run: badName, reason: "bad-name"},
		stranger{name: "questions without end, answers not read", run: unread, reason: "write-stalled"},
		stranger{name: "a player that sends data for ever", run: talkativePlayer, reason: clientLeft},
	)
	return cases
}

// late is whether the stranger is ended by a limit of time, which a test has to wait for.
func (s *stranger) late() bool { return limitOf[event.Reason(s.reason)] != nil }

// TestStrangers sends everything that has hurt others to a node, one thing after
// the other, and looks after each at the canary and at what is left.
func TestStrangers(t *testing.T) {
	meet(t, quickConfig("n1"), func(s *stranger) bool { return !s.late() })
}

// TestStrangersWhoAreLate is TestStrangers of those that a limit ends, at a node where that limit is short.
func TestStrangersWhoAreLate(t *testing.T) {
	for reason, limit := range limitOf {
		t.Run(string(reason), func(t *testing.T) {
			meet(t, hastyConfig("n1", limit), func(s *stranger) bool { return s.reason == string(reason) })
		})
	}
}

func meet(t *testing.T, cfg config.Config, whom func(*stranger) bool) {
	n := start(t, cfg)
	c := sing(t, n, n)
	for _, s := range strangers() {
		if !whom(&s) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			a := newAttack(t, n)
			s.run(a)
			if grown, most := c.grown(), cmp.Or(s.heap, 8<<20); grown > most {
				t.Errorf("the heap grew by %d bytes, at most %d are allowed", grown, most)
			}
			if s.reason == clientLeft {
				a.leave()
			}
			a.closings(s.reason)
			c.unharmed(t)
		})
	}
}

// drip sends a handshake a byte at a time: never silent, never done.
func drip(a *attack) {
	nc := a.dial()
	c1 := simpleC0C1()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := range c1 {
		if _, err := nc.Write(c1[i : i+1]); err != nil {
			return
		}
		<-tick.C
	}
}

// chat is never silent either, and never says what it came for.
func chat(a *attack) {
	c := a.connected()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if _, err := c.CallNow("getStreamLength", "x"); err != nil {
			return
		}
		<-tick.C
	}
	a.t.Error("still talking after 20 s")
}

// announce begins messages of the full size and sends one chunk of each.
func announce(a *attack) {
	for i := range 32 {
		c := a.publishing(fmt.Sprint("announced", i))
		wire := chunk(0, 6, append(head(0, 1<<20, rtmp.Video, 1), make([]byte, 128)...)...)
		raw(c, rtmp.AppendSetChunkSize(nil, 128), wire)
	}
}

// chunkSizeOne is legal: a whole publish works by it.
func chunkSizeOne(a *attack) {
	c := a.connected()
	a.alive(c) // what the connection has to say by itself, it says in larger chunks
	raw(c, rtmp.AppendSetChunkSize(nil, 1))
	one := func(m *rtmp.Message) []byte { return rtmp.AppendMessage(nil, m, 1) }
	raw(c, one(&rtmp.Message{Type: rtmp.CommandAMF0, Payload: command("createStream", 90.0, nil)}),
		one(&rtmp.Message{Type: rtmp.CommandAMF0, StreamID: 1, Payload: command("publish", 0.0, nil, "one", "live")}),
		one(&rtmp.Message{Type: rtmp.Video, StreamID: 1, Payload: make([]byte, 200)}),
		one(&rtmp.Message{Type: rtmp.CommandAMF0, StreamID: 1, Payload: command("publish", 0.0, nil, "again", "live")}))
	for _, want := range []string{rtmp.CodePublishStart, rtmp.CodePublishDenied} {
		ev, err := c.Next()
		for err == nil && ev.Kind != rtmp.EventStatus {
			ev, err = c.Next()
		}
		if err != nil || ev.Status.Code != want {
			a.t.Errorf("publish in chunks of one byte: %v, %v, want %s", ev.Status, err, want)
			return
		}
	}
}

func tinyChunks(a *attack) {
	c := a.publishing("tiny")
	raw(c, rtmp.AppendSetChunkSize(nil, 1))
	wire := rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.Video, StreamID: 1, Payload: make([]byte, 64<<10)}, 1)
	for range 16 {
		raw(c, wire)
	}
}

func emptyMessages(a *attack) {
	c := a.connected()
	wire := bytes.Repeat(message(rtmp.Audio, 1, nil), 1<<10)
	for range 512 {
		raw(c, wire)
	}
}

func manyChunkStreams(a *attack) {
	c := a.connected()
	wire := rtmp.AppendSetChunkSize(nil, 128)
	for id := range uint32(65_600 - 3) {
		wire = append(wire, chunk(0, 3+min(id, 65_596), append(head(0, 1000, rtmp.Audio, 1), make([]byte, 128)...)...)...)
	}
	raw(c, wire)
}

func manyPartials(a *attack) {
	c := a.publishing("partials")
	raw(c, rtmp.AppendSetChunkSize(nil, 512<<10))
	part := make([]byte, 512<<10)
	for id := range uint32(8) {
		raw(c, chunk(0, 10+id, head(0, 1<<20, rtmp.Video, 1)...), part)
	}
}

// window announces an acknowledgement window and then sends a megabyte.
func window(n uint32) func(*attack) {
	return func(a *attack) {
		c := a.connected()
		raw(c, rtmp.AppendWindowAckSize(nil, n), rtmp.AppendSetPeerBandwidth(nil, n, rtmp.LimitDynamic))
		m := message(rtmp.Audio, 1, make([]byte, 8<<10))
		for range 128 {
			raw(c, m)
		}
		in := c.BytesIn()
		a.alive(c)
		// At most one acknowledgement (16 bytes) a read, and one a KiB of window.
		if got := c.BytesIn() - in; got > 128*8*16*2 {
			a.t.Errorf("%d bytes of answers to 1 MiB", got)
		}
	}
}

func createStreams(a *attack) {
	c := a.connected()
	one := message(rtmp.CommandAMF0, 0, command("createStream", 7.0, nil))
	flood(c, one, 1_000_000)
}

func unknownCommands(a *attack) {
	c := a.connected()
	flood(c, message(rtmp.CommandAMF0, 0, command("noSuchThing", 7.0, nil)), 1_000_000)
}

// flood sends a message n times, or as often as the node takes it, and reads
// what comes back so that nothing waits for that.
func flood(c *rtmp.ClientConn, m []byte, n int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 64<<10)
		for {
			if _, err := c.NetConn().Read(b); err != nil {
				return
			}
		}
	}()
	wire := bytes.Repeat(m, 1000)
	for range n / 1000 {
		if _, err := c.NetConn().Write(wire); err != nil {
			break
		}
	}
	<-done
}

func wrongArguments(a *attack) {
	c := a.connected()
	id, err := c.CreateStreamNow()
	if err != nil {
		a.t.Error(err)
		return
	}
	o := amf.Object{{Key: "k", Value: "v"}}
	for _, name := range []string{"publish", "play", "play2", "pause", "seek", "receiveAudio", "receiveVideo", "deleteStream", "closeStream",
		"releaseStream", "FCPublish", "FCUnpublish", "FCSubscribe", "getStreamLength", "_checkbw", "_result", "onStatus", ""} {
		for _, args := range [][]any{{}, {nil}, {nil, nil}, {nil, math.NaN()}, {o, o}, {nil, -1.0, math.Inf(1)}, {nil, true, "x", o}, {"x"}} {
			for _, stream := range []uint32{0, id + 7, math.MaxUint32} {
				raw(c, message(rtmp.CommandAMF0, stream, command(name, 0.0, args...)))
			}
		}
	}
	a.alive(c)
}

func playAndPublish(a *attack) {
	c := a.publishing("both")
	raw(c, message(rtmp.Video, 1, []byte{0x17, 0, 0, 0, 0}))
	if err := a.ask(c, 1, rtmp.CodePlayStart, "play", "canary"); err == nil {
		a.t.Error("a publishing stream plays too")
	}
	if err := a.ask(c, 1, rtmp.CodePublishStart, "publish", "another", "live"); err == nil {
		a.t.Error("a publishing stream publishes twice")
	}
	a.alive(c)
	c = a.playing("canary")
	if err := a.ask(c, 1, rtmp.CodePublishStart, "publish", "both", "live"); err == nil {
		a.t.Error("a playing stream publishes too")
	}
	a.alive(c)
}

func playOver(a *attack) {
	c := a.playing("canary")
	for range 500 {
		if err := c.Send(1, "play2", amf.Object{{Key: "streamName", Value: "canary"}}); err != nil {
			a.t.Error(err)
			return
		}
	}
	a.alive(c)
	// Once from the last play, and at most once more from one that was ending.
	times := make(map[string]int)
	for _, m := range a.next(c, 100) {
		if times[m.payload]++; times[m.payload] > 3 && len(m.payload) > 64 {
			a.t.Errorf("a frame came %d times", times[m.payload])
			return
		}
	}
}

func badName(a *attack) {
	for _, name := range []string{"../../etc/passwd", "a/../b", "x\x00y", "x\r\ny", strings.Repeat("n", 300)} {
		c := a.connected()
		if err := a.ask(c, must(c.CreateStreamNow()), rtmp.CodePublishStart, "publish", name, "live"); err == nil {
			a.t.Errorf("published as %q", name)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// unread asks for answers as fast as it can and reads none. A small receive
// buffer makes the kernel's part of it short.
func unread(a *attack) {
	var wg sync.WaitGroup
	// With media among them: a publisher must not be silent.
	wire := append(message(rtmp.Video, 1, avcKey), bytes.Repeat(message(rtmp.CommandAMF0, 0, command("getStreamLength", 9.0, nil, "x")), 100)...)
	for i := range 8 {
		c := a.publishing(fmt.Sprint("unread", i))
		c.NetConn().(*net.TCPConn).SetReadBuffer(4096)
		wg.Go(func() {
			c.NetConn().SetWriteDeadline(time.Now().Add(patience))
			for {
				if _, err := c.NetConn().Write(wire); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}

// talkativePlayer sends media on the stream that it plays: it is read, and
// dropped.
func talkativePlayer(a *attack) {
	c := a.playing("canary")
	m := message(rtmp.Video, 1, make([]byte, 16<<10))
	for range 40 {
		for range 50 {
			if _, err := c.NetConn().Write(m); err != nil {
				a.t.Errorf("after sending for a while: %v", err)
				return
			}
		}
		a.alive(c) // and so has read what it plays: else that would end it
	}
}
