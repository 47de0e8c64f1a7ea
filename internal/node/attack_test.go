package node_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"weir/amf"
	"weir/rtmp"
)

// attack is what one case does to a node, and the connections that it did it by.
type attack struct {
	t    *testing.T
	n    *running
	from int // lines of the log before it: ports are used again

	mu    sync.Mutex
	conns []net.Conn
}

func newAttack(t *testing.T, n *running) *attack {
	a := &attack{t: t, n: n, from: n.log.length()}
	t.Cleanup(a.close)
	return a
}

// dial connects and says nothing.
func (a *attack) dial() *net.TCPConn {
	a.t.Helper()
	nc, err := net.Dial("tcp", a.n.addr)
	if err != nil {
		a.t.Fatal(err)
	}
	a.mu.Lock()
	a.conns = append(a.conns, nc)
	a.mu.Unlock()
	return nc.(*net.TCPConn)
}

// say connects and sends bytes, which the node may refuse in the middle.
func (a *attack) say(p []byte) { a.dial().Write(p) }

// greeted is a connection after the handshake.
func (a *attack) greeted() *rtmp.ClientConn {
	a.t.Helper()
	c := rtmp.NewClientConn(a.dial(), rtmp.Options{SimpleHandshake: true})
	if err := c.Handshake(); err != nil {
		a.t.Fatalf("handshake: %v", err)
	}
	return c
}

// connected is a connection after connect.
func (a *attack) connected() *rtmp.ClientConn {
	a.t.Helper()
	c := a.greeted()
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://" + a.n.addr + "/live"}); err != nil {
		a.t.Fatalf("connect: %v", err)
	}
	return c
}

// publishing is a connection with an accepted publish on stream 1.
func (a *attack) publishing(name string) *rtmp.ClientConn {
	a.t.Helper()
	c := a.connected()
	a.expect(c, rtmp.CodePublishStart, "publish", name, "live")
	return c
}

// playing is a connection with a started play on stream 1.
func (a *attack) playing(name string) *rtmp.ClientConn {
	a.t.Helper()
	c := a.connected()
	a.expect(c, rtmp.CodePlayStart, "play", name)
	return c
}

// expect creates a stream, says a command on it and wants a status.
func (a *attack) expect(c *rtmp.ClientConn, code, name string, args ...any) uint32 {
	a.t.Helper()
	id, err := c.CreateStreamNow()
	if err != nil {
		a.t.Fatalf("createStream: %v", err)
	}
	if err := a.ask(c, id, code, name, args...); err != nil {
		a.t.Fatal(err)
	}
	return id
}

var errOtherStatus = errors.New("another answer")

// ask says a command on a stream and reads to a status with the code.
func (a *attack) ask(c *rtmp.ClientConn, id uint32, code, name string, args ...any) error {
	if err := c.Send(id, name, args...); err != nil {
		return err
	}
	for {
		ev, err := c.Next()
		switch {
		case err != nil:
			return err
		case ev.Kind != rtmp.EventStatus || ev.StreamID != id:
		case ev.Status.Code == code:
			return nil
		case ev.Status.Level == rtmp.LevelError:
			return errors.Join(errOtherStatus, &rtmp.StatusError{Status: *ev.Status})
		}
	}
}

// alive wants an answer: the node has taken all that came before and goes on.
func (a *attack) alive(c *rtmp.ClientConn) {
	a.t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.CallNow("_checkbw"); err != nil {
		a.t.Errorf("the session did not survive: %v", err)
	}
}

// close closes what is open.
func (a *attack) close() {
	for _, nc := range a.conns {
		nc.Close()
	}
}

// leave says goodbye on every connection, and reads what is still on its way: a
// connection closed with unread bytes is reset, and the node hears of no end. The
// last to come goes first: viewers before the publisher whose end would end them.
func (a *attack) leave() {
	for _, nc := range slices.Backward(a.conns) {
		nc.SetDeadline(time.Now().Add(patience))
		nc.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, nc)
	}
}

// closings waits for the closing line of every connection, checks its reason, and
// closes the connections here.
func (a *attack) closings(reason string) {
	a.t.Helper()
	defer a.close()
	end := time.Now().Add(patience)
	for _, nc := range a.conns {
		remote := nc.LocalAddr().String()
		l, ok := a.n.log.wait(time.Until(end), func(l line) bool { return l.n >= a.from && l.msg == "session closed" && l.attrs["remote"] == remote })
		switch {
		case !ok:
			a.t.Errorf("not closed within %v", patience)
			return
		case l.attrs["reason"] != reason:
			a.t.Errorf("closed for %q, want %q (err %q)", l.attrs["reason"], reason, l.attrs["err"])
		}
	}
}

// The wire, by hand.

// chunk is one chunk: basic header with the format and id, then the rest as given.
func chunk(format byte, id uint32, rest ...byte) []byte {
	var b []byte
	switch {
	case id < 64:
		b = []byte{format<<6 | byte(id)}
	case id < 320:
		b = []byte{format << 6, byte(id - 64)}
	default:
		b = []byte{format<<6 | 1, byte(id - 64), byte((id - 64) >> 8)}
	}
	return append(b, rest...)
}

// head is a message header of format 0.
func head(ts uint32, length int, typ rtmp.MessageType, stream uint32) []byte {
	b := []byte{byte(ts >> 16), byte(ts >> 8), byte(ts), byte(length >> 16), byte(length >> 8), byte(length), byte(typ)}
	return binary.LittleEndian.AppendUint32(b, stream)
}

// message is a whole message in chunks of the size that a ClientConn sets. What
// comes before its connect must fit the smaller first size.
func message(typ rtmp.MessageType, stream uint32, payload []byte) []byte {
	return rtmp.AppendMessage(nil, &rtmp.Message{Type: typ, StreamID: stream, Payload: payload}, rtmp.DefaultChunkSize)
}

// control is a protocol control message with any payload.
func controlMessage(typ rtmp.MessageType, payload ...byte) []byte { return message(typ, 0, payload) }

// command is a command's payload.
func command(name string, transaction any, args ...any) []byte {
	b := amf.Append0(amf.Append0(nil, name), transaction)
	for _, v := range args {
		b = amf.Append0(b, v)
	}
	return b
}

// raw writes bytes past the connection's own encoder.
func raw(c *rtmp.ClientConn, parts ...[]byte) { c.NetConn().Write(slices.Concat(parts...)) }

// simpleC0C1 is the beginning of a handshake.
func simpleC0C1() []byte { return append([]byte{3}, make([]byte, 1536)...) }
