package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"weir/amf"
	"weir/internal/media/relay"
	"weir/internal/ops/event"
	"weir/rtmp"
)

const (
	// replayTime bounds the conversation with a server up to the answer to
	// createStream. Why not larger: the client waits, and other servers can be tried.
	replayTime = 3 * time.Second
	// playWait is how long a server may take to answer a play before the client is
	// joined with it all the same: some say nothing until the stream begins. Why not
	// shorter: a refusal that comes in time lets another server be tried.
	playWait = time.Second
	// keptMax bounds what a server says before the two are joined.
	keptMax = 256 << 10
	// readPiece is the size of one read.
	readPiece = 16 << 10
)

// replayed is a server that has heard all that the client said.
type replayed struct {
	nc *net.TCPConn
	// swallowed is what it said up to the answer to createStream, which the client
	// has heard from here in other words; kept is all that came after that, which the client is to
	// get as it is.
	swallowed, kept []byte
}

// replay says a client's words to a server: to the connect, to its answer;
// to createStream, to its answer; then the rest. The server is refused (errCarry) if
// its message stream has another id than the client's, and its own refusal is a
// *relay.RefusedError, or relay.ErrHungUp. The mark goes with the handshake.
func replay(ctx context.Context, nc net.Conn, s *script, mark []byte) (*replayed, error) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil, notSpliced(event.NotPlainTCP, nil)
	}
	defer context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })()
	nc.SetDeadline(time.Now().Add(replayTime))
	if _, err := rtmp.ClientHandshake(nc, rtmp.HandshakeOptions{Mark: mark}); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	r, err := converse(ctx, tcp, s)
	if err != nil {
		return nil, relay.HungUp(err)
	}
	nc.SetDeadline(time.Time{})
	return r, nil
}

// converse is replay behind the handshake.
func converse(ctx context.Context, nc *net.TCPConn, s *script) (*replayed, error) {
	l := &listener{nc: nc, d: rtmp.NewDecoder(rtmp.Limits{})}
	defer l.d.Release()
	l.openRaw()
	if err := l.say(s.said[:s.connectEnd]); err != nil {
		return nil, err
	}
	if _, err := l.result(s.connectTx); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := l.say(s.said[s.connectEnd:s.createEnd]); err != nil {
		return nil, err
	}
	reply, err := l.result(s.createTx)
	if err != nil {
		return nil, fmt.Errorf("createStream: %w", err)
	}
	if id, ok := reply.Arg(0).(float64); !ok || id != float64(s.streamID) {
		return nil, notSpliced(event.OtherStreamID, fmt.Errorf("%v there, %d here", reply.Arg(0), s.streamID))
	}
	if l.d.MidMessage() {
		return nil, notSpliced(event.NoBoundary, nil)
	}
	r := &replayed{nc: nc, swallowed: l.all[:l.at:l.at]}
	if err := l.say(s.said[s.createEnd:]); err != nil {
		return nil, err
	}
	if !s.publish {
		nc.SetDeadline(time.Now().Add(playWait))
	}
	if err := l.answer(); err != nil && !(errors.Is(err, os.ErrDeadlineExceeded) && !s.publish && ctx.Err() == nil) {
		return nil, err
	}
	r.kept = l.all[len(r.swallowed):]
	return r, nil
}

// listener reads what a server says, and keeps it.
type listener struct {
	nc  *net.TCPConn
	raw syscall.RawConn
	d   *rtmp.Decoder
	all []byte // everything since the handshake
	at  int    // how much of it is decoded
}

func (l *listener) openRaw() { l.raw, _ = l.nc.SyscallConn() }

func (l *listener) say(p []byte) error {
	_, err := l.nc.Write(p)
	return err
}

// next returns the next message.
func (l *listener) next() (*rtmp.Message, error) {
	for {
		for l.at < len(l.all) {
			n, m, err := l.d.Decode(l.all[l.at:])
			l.at += n
			if m != nil || err != nil {
				return m, err
			}
		}
		if len(l.all) > keptMax {
			return nil, fmt.Errorf("front: the server said %d bytes before its answer", len(l.all))
		}
		if err := l.read(); err != nil {
			return nil, err
		}
	}
}

func (l *listener) read() error {
	// Servers answer in several small writes, each of which waits, by Nagle's
	// algorithm, for the acknowledgement of the one before, which without this
	// comes after 40 ms.
	l.raw.Control(quickAck)
	if cap(l.all)-len(l.all) < readPiece {
		l.all = append(make([]byte, 0, 2*cap(l.all)+readPiece), l.all...)
	}
	n, err := l.nc.Read(l.all[len(l.all) : len(l.all)+readPiece])
	l.all = l.all[:len(l.all)+n]
	return err
}

// result reads to the answer of a command.
func (l *listener) result(tx float64) (*rtmp.Command, error) {
	for {
		m, err := l.next()
		if err != nil {
			return nil, err
		}
		if !m.Type.IsCommand() {
			continue
		}
		cmd, err := rtmp.ParseCommand(m, amf.Limits{})
		if err != nil {
			return nil, err
		}
		switch {
		case cmd.Name == "close":
			return nil, rtmp.ErrClosed
		case cmd.Transaction != tx:
		case cmd.Name == "_result":
			return &cmd, nil
		case cmd.Name == "_error":
			st := rtmp.ParseStatus(&cmd)
			return nil, &relay.RefusedError{Code: st.Code, Description: st.Description}
		}
	}
}

// answer reads to the answer of the publish or play: a status that is no refusal, or
// media.
func (l *listener) answer() error {
	for {
		m, err := l.next()
		if err != nil {
			return err
		}
		if m.Type.IsMedia() {
			return nil
		}
		if !m.Type.IsCommand() {
			continue
		}
		cmd, err := rtmp.ParseCommand(m, amf.Limits{})
		if err != nil {
			return err
		}
		if cmd.Name != "onStatus" {
			continue
		}
		switch st := rtmp.ParseStatus(&cmd); {
		case st.Level == rtmp.LevelError || st.Code == rtmp.CodePlayFailed || st.Code == rtmp.CodePlayStreamNotFound:
			return &relay.RefusedError{Code: st.Code, Description: st.Description}
		case st.Code != rtmp.CodePlayReset: // which comes before the answer
			return nil
		}
	}
}
