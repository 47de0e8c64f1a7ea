package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tcpPair is two ends of a loopback connection.
func tcpPair(t testing.TB) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return server.(*net.TCPConn), client.(*net.TCPConn)
}

// pipes are the two kinds of connection a Conn reads in its own way each.
var pipes = map[string]func(testing.TB) (net.Conn, net.Conn){
	"tcp": func(t testing.TB) (net.Conn, net.Conn) { a, b := tcpPair(t); return a, b },
	"pipe": func(t testing.TB) (net.Conn, net.Conn) {
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		return a, b
	},
}

func TestConnCarriesMessagesBothWays(t *testing.T) {
	for name, open := range pipes {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			want := randomMessages(r, 200, 40_000)
			a, b := open(t)
			server, client := NewConn(a, Options{}), NewConn(b, Options{})
			fail := make(chan error, 1)
			go func() {
				_, err := client.ClientHandshake()
				for i := range want {
					if err != nil {
						break
					}
					switch {
					case i == 10:
						err = errors.Join(client.SetChunkSize(4096), client.WriteMessage(&want[i]))
					case i%5 == 0:
						err = client.Queue(&want[i])
					default:
						err = client.WriteMessages(want[i : i+1])
					}
				}
				fail <- errors.Join(err, client.Flush(), client.Close())
			}()
			if info, err := server.ServerHandshake(); err != nil || !info.Digest || !info.Verified {
				t.Fatal(info, err)
			}
			server.SetMaxMessage(0)
			var got []Message
			for {
				m, err := server.ReadMessage()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				c := *m
				c.Payload = bytes.Clone(m.Payload)
				got = append(got, c)
			}
			if err := sameMessages(got, want); err != nil {
				t.Error(err)
			}
			if err := <-fail; err != nil {
				t.Error(err)
			}
			if server.BytesIn() != client.BytesOut() || server.BytesOut() != client.BytesIn()+packetSize && server.BytesOut() != client.BytesIn() {
				t.Errorf("in %d out %d, other side out %d in %d", server.BytesIn(), server.BytesOut(), client.BytesOut(), client.BytesIn())
			}
			if _, err := server.ReadMessage(); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// talk makes a Conn and the raw far end of it; what the Conn writes is decoded
// into the channel.
func talk(t *testing.T, o Options) (c *Conn, far net.Conn, answers <-chan Message) {
	a, b := tcpPair(t)
	c = NewConn(a, o)
	out := make(chan Message, 1000)
	go func() {
		defer close(out)
		d := NewDecoder(Limits{})
		buf := make([]byte, 4096)
		for {
			n, err := b.Read(buf)
			ms, derr := decodeAll(d, buf[:n], whole)
			for _, m := range ms {
				out <- m
			}
			if err != nil || derr != nil {
				return
			}
		}
	}()
	return c, b, out
}

func readAll(c *Conn) (count int, err error) {
	for {
		if _, err := c.ReadMessage(); err != nil {
			return count, err
		}
		count++
	}
}

func TestConnAnswersPings(t *testing.T) {
	c, far, answers := talk(t, Options{})
	go readAll(c)
	far.Write(AppendUserControl(nil, PingRequest, 4711))
	m := <-answers
	if ctl, err := ParseControl(&m); err != nil || ctl.Event != PingResponse || ctl.Value != 4711 {
		t.Errorf("%+v %v", ctl, err)
	}
	far.Write(AppendSetPeerBandwidth(nil, 5000, LimitHard))
	m = <-answers
	if ctl, err := ParseControl(&m); err != nil || ctl.Type != WindowAckSize || ctl.Value != 5000 {
		t.Errorf("%+v %v", ctl, err)
	}
	far.Write(AppendAck(nil, 12345))
	far.Write(AppendUserControl(nil, PingRequest, 1))
	<-answers
	if c.PeerAck() != 12345 {
		t.Errorf("peer acknowledged %d", c.PeerAck())
	}
}

// Whatever window the peer asks for, acknowledgements are bounded by the bytes
// it sends; 0 means none; a huge one costs nothing.
func TestStrangerWindowAck(t *testing.T) {
	const total = 200_000
	for _, c := range []struct {
		window   uint32
		min, max int
	}{
		{0, 0, 0},
		{1, 1, total / (MinWindowAck / 2)},
		{50_000, 1, 8},
		{math.MaxUint32, 0, 0},
	} {
		conn, far, answers := talk(t, Options{})
		go func() {
			far.Write(AppendWindowAckSize(nil, c.window))
			m := Message{Type: Audio, StreamID: 1, Payload: make([]byte, 128)}
			one := AppendMessage(nil, &m, 128)
			for sent := 0; sent < total; sent += len(one) {
				far.Write(one)
			}
			far.Write(AppendUserControl(nil, StreamEOF, 1))
		}()
		for {
			m, err := conn.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if m.Type == UserControl {
				break
			}
		}
		conn.Close()
		acks, last := 0, uint32(0)
		for m := range answers {
			if m.Type != Ack {
				t.Errorf("%v", m.Type)
			}
			seq := binary.BigEndian.Uint32(m.Payload)
			if seq <= last {
				t.Errorf("acknowledged %d after %d", seq, last)
			}
			acks, last = acks+1, seq
		}
		if acks < c.min || acks > c.max {
			t.Errorf("window %d: %d acknowledgements of %d bytes, want %d to %d", c.window, acks, total, c.min, c.max)
		}
	}
}

// A peer that never acknowledges is served all the same.
func TestStrangerThatNeverAcknowledges(t *testing.T) {
	a, b := tcpPair(t)
	c := NewConn(a, Options{})
	if err := c.WriteRaw(AppendWindowAckSize(nil, 1000)); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, b)
	m := Message{Type: Video, StreamID: 1, Payload: make([]byte, 10_000)}
	for range 100 {
		if err := c.WriteMessage(&m); err != nil {
			t.Fatal(err)
		}
	}
}

// A flood of pings in one read is one answer.
func TestStrangerPingFlood(t *testing.T) {
	c, far, answers := talk(t, Options{})
	var flood []byte
	for i := range uint32(2000) {
		flood = AppendUserControl(flood, PingRequest, i)
	}
	far.Write(flood)
	far.(*net.TCPConn).CloseWrite()
	if _, err := readAll(c); err != io.EOF {
		t.Fatal(err)
	}
	c.Close()
	got, last := 0, uint32(0)
	for m := range answers {
		ctl, _ := ParseControl(&m)
		got, last = got+1, ctl.Value
	}
	if got == 0 || got > 200 || last != 1999 {
		t.Errorf("%d answers, the last to %d", got, last)
	}
}

func TestStrangerShortControlEndsTheConn(t *testing.T) {
	for typ := SetChunkSize; typ <= SetPeerBandwidth; typ++ {
		c, far, _ := talk(t, Options{})
		far.Write(chunk(0, 2, append(head0(0, 1, typ, 0), 0)...))
		if _, err := readAll(c); reasonOf(err) != ReasonShortControl {
			t.Errorf("%v: %v", typ, err)
		}
		if _, err := c.ReadMessage(); reasonOf(err) != ReasonShortControl {
			t.Errorf("%v: then %v", typ, err)
		}
	}
}

func TestConnStartsWithThePreAuthorizationLimit(t *testing.T) {
	big := Message{Type: Video, StreamID: 1, Payload: make([]byte, MaxPreAuthBytes+1)}
	wire := AppendMessage(nil, &big, 128)
	c, far, _ := talk(t, Options{})
	go far.Write(wire)
	if _, err := readAll(c); reasonOf(err) != ReasonMessageSize {
		t.Errorf("%v", err)
	}
	c, far, _ = talk(t, Options{})
	c.SetMaxMessage(0)
	go far.Write(wire)
	if m, err := c.ReadMessage(); err != nil || len(m.Payload) != len(big.Payload) {
		t.Errorf("%v", err)
	}
}

func TestConnSplitsAggregates(t *testing.T) {
	c, far, _ := talk(t, Options{})
	c.SetMaxMessage(0)
	whole := Message{Type: Aggregate, StreamID: 1, Timestamp: 100}
	for i := range uint32(3) {
		whole.Payload = AppendAggregate(whole.Payload, &Message{Type: Video, Timestamp: i * 40, Payload: make([]byte, 3000)})
	}
	wire := AppendMessage(nil, &whole, 128)
	wire = AppendMessage(wire, &Message{Type: Audio, StreamID: 1, Timestamp: 7}, 128)
	go far.Write(wire)
	for i := range uint32(3) {
		m, err := c.ReadMessage()
		if err != nil || m.Type != Video || m.Timestamp != 100+i*40 || len(m.Payload) != 3000 {
			t.Fatalf("%+v %v", m, err)
		}
	}
	if m, err := c.ReadMessage(); err != nil || m.Type != Audio || m.Timestamp != 7 {
		t.Fatalf("%+v %v", m, err)
	}
	go far.Write(AppendMessage(nil, &Message{Type: Aggregate, Payload: []byte{1, 2, 3}}, 128))
	if _, err := c.ReadMessage(); reasonOf(err) != ReasonAggregate {
		t.Errorf("%v", err)
	}
}

// Whoever passes messages on learns which of them have come together.
func TestConnSaysThatMoreFollows(t *testing.T) {
	c, far, _ := talk(t, Options{})
	whole := Message{Type: Aggregate, StreamID: 1}
	for i := range uint32(2) {
		whole.Payload = AppendAggregate(whole.Payload, &Message{Type: Video, Timestamp: i, Payload: make([]byte, 30)})
	}
	wire := AppendMessage(nil, &Message{Type: Audio, StreamID: 1, Payload: make([]byte, 30)}, 128)
	wire = AppendMessage(wire, &whole, 128)
	for range 2 {
		if _, err := far.Write(wire); err != nil { // one segment: it is there as a whole, or not at all
			t.Fatal(err)
		}
		for i, more := range []bool{true, true, false} {
			if m, err := c.ReadMessage(); err != nil || m.More != more {
				t.Fatalf("message %d: %+v %v", i, m, err)
			}
		}
	}
}

func TestConnEndsWithinAMessage(t *testing.T) {
	c, far, _ := talk(t, Options{})
	far.Write(chunk(0, 4, head0(0, 50, Audio, 1)...))
	far.Close()
	if _, err := readAll(c); reasonOf(err) != ReasonTruncated || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// A read deadline loses nothing: reading goes on in the middle of a message.
func TestConnReadDeadlineMayBeRepeated(t *testing.T) {
	for name, open := range pipes {
		a, b := open(t)
		c := NewConn(a, Options{})
		m := Message{Type: Audio, StreamID: 1, ChunkStream: 4, Timestamp: 5, Payload: make([]byte, 300)}
		wire := AppendMessage(nil, &m, 128)
		for i := 0; i < len(wire); i += 50 {
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := c.ReadMessage(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("%s: %v", name, err)
			}
			c.SetReadDeadline(time.Time{})
			done := make(chan struct{})
			go func() { defer close(done); b.Write(wire[i:min(i+50, len(wire))]) }()
			if i+50 < len(wire) {
				for taken := false; !taken; { // what a pipe is given waits for a read
					c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
					if _, err := c.ReadMessage(); !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Fatalf("%s: %v", name, err)
					}
					select {
					case <-done:
						taken = true
					default:
					}
				}
			} else if got, err := c.ReadMessage(); err != nil || len(got.Payload) != 300 {
				t.Fatalf("%s: %v", name, err)
			}
			<-done
		}
	}
}

// An idle connection on TCP holds no buffer, and neither does one whose message
// has been handled.
func TestIdleConnHoldsNoBuffer(t *testing.T) {
	a, b := tcpPair(t)
	c := NewConn(a, Options{})
	m := Message{Type: Audio, StreamID: 1, Payload: make([]byte, 300)}
	wire := AppendMessage(nil, &m, 128)
	for range 3 {
		b.Write(wire)
		if _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := c.ReadMessage(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Time{})
		if c.rbuf != nil || c.plain != nil || c.in != nil || c.dec.done != nil || c.queue != nil {
			t.Errorf("idle: read %v plain %d in %d message %v write %v", c.rbuf, len(c.plain), len(c.in), c.dec.done, c.queue)
		}
	}
}

// A peer that reads nothing ends after Limits.Write, one that reads slowly does
// not.
func TestConnWriteStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := NewConn(a, Options{})
		begin := time.Now()
		m := Message{Type: Video, Payload: make([]byte, 100_000)}
		err := c.WriteMessage(&m)
		if reasonOf(err) != ReasonWriteStalled || time.Since(begin) != WriteTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := c.WriteMessage(&m); reasonOf(err) != ReasonWriteStalled {
			t.Errorf("then %v", err)
		}
		if err := c.Queue(&m); reasonOf(err) != ReasonWriteStalled {
			t.Errorf("then %v", err)
		}
		a.Close()
		b.Close()
	})
}

func TestConnWritesAreWholeFromManyGoroutines(t *testing.T) {
	c, _, answers := talk(t, Options{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			p := bytes.Repeat([]byte{byte(g)}, 200+g)
			for i := range 50 {
				m := Message{Type: Audio, StreamID: uint32(g), ChunkStream: uint32(10 + g), Timestamp: uint32(i), Payload: p}
				var err error
				switch i % 3 {
				case 0:
					err = c.WriteMessage(&m)
				case 1:
					err = c.Queue(&m)
				case 2:
					err = c.WriteRaw(AppendMessage(nil, &m, c.ChunkSize()))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c.Flush()
	c.Close()
	next := map[uint32]uint32{}
	for m := range answers {
		if m.Timestamp != next[m.StreamID] || len(m.Payload) != 200+int(m.StreamID) {
			t.Fatalf("%s", brief(m))
		}
		next[m.StreamID]++
	}
	for g := range uint32(8) {
		if next[g] != 50 {
			t.Errorf("writer %d: %d messages", g, next[g])
		}
	}
}

func TestConnSetOutputRedirectsAllWrites(t *testing.T) {
	c, far, answers := talk(t, Options{})
	m := Message{Type: Audio, StreamID: 1, Payload: []byte{1}}
	c.Queue(&m)
	var mu sync.Mutex
	var out []byte
	got := make(chan struct{}, 10)
	if err := c.SetOutput(func(p []byte) error {
		mu.Lock()
		out = append(out, p...)
		mu.Unlock()
		got <- struct{}{}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if first := <-answers; first.Type != Audio {
		t.Error("what was queued did not go out the old way")
	}
	go readAll(c)
	far.Write(AppendUserControl(nil, PingRequest, 1))
	<-got
	c.WriteMessage(&m)
	c.SetChunkSize(5000)
	mu.Lock()
	ms, err := decodeAll(NewDecoder(Limits{}), out, whole)
	mu.Unlock()
	if err != nil || len(ms) != 3 || ms[0].Type != UserControl || ms[1].Type != Audio || ms[2].Type != SetChunkSize {
		t.Errorf("%v %v", ms, err)
	}
	full := errors.New("full")
	c.SetOutput(func([]byte) error { return full })
	if err := c.WriteMessage(&m); err != full {
		t.Errorf("%v", err)
	}
}

func TestConnRefusesSillyChunkSizes(t *testing.T) {
	a, _ := net.Pipe()
	c := NewConn(a, Options{})
	for _, n := range []int{-1, 0, 1, 127, MaxChunkSize + 1} {
		if c.SetChunkSize(n) == nil {
			t.Errorf("%d accepted", n)
		}
	}
}

// Tiny messages are paid for by the clock.
func TestConnRefillsTheWorkBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := NewConn(a, Options{Limits: Limits{ChunkWork: 2000}})
		go func() {
			b.Write(chunk(0, 4, head0(0, 0, Audio, 1)...))
			for range 20 {
				time.Sleep(500 * time.Millisecond)
				b.Write(bytes.Repeat([]byte{type3 | 4}, 1500))
			}
			b.Write(bytes.Repeat([]byte{type3 | 4}, 5000))
		}()
		n, err := readAll(c)
		if reasonOf(err) != ReasonChunkWork || n < 20*1500 {
			t.Errorf("%d messages, then %v", n, err)
		}
		a.Close()
		b.Close()
	})
}
