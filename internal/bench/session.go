package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"weir/flv"
	"weir/rtmp"
)

// session is one viewer's conversation, up to wherever its bytes go.
type session struct {
	wire
	target      Target
	dialed      time.Time // when dialling began
	established time.Time // when TCP was up
}

// wire is a viewer's protocol behind the answer that media will come.
type wire interface {
	// next returns the next media message. The server's end of the stream is an error.
	next() (*rtmp.Message, error)
	NetConn() net.Conn
	BytesIn() int64
}

// rtmpWire is a viewer over RTMP, or over a bare chunk stream.
type rtmpWire struct {
	*rtmp.ClientConn
	target Target
}

// open takes a session to the answer of play. A session that fails is closed.
func open(ctx context.Context, d dialer, t Target) (*session, error) {
	s := &session{target: t, dialed: time.Now()}
	nc, established, err := d.dial(ctx, t)
	if err != nil {
		return nil, err
	}
	s.established = established
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	if deadline, ok := ctx.Deadline(); ok {
		nc.SetDeadline(deadline)
	}
	if s.wire, err = t.ask(ctx, nc); err != nil {
		nc.Close()
		return nil, err
	}
	nc.SetDeadline(time.Time{})
	return s, nil
}

// ask has the conversation of t's protocol.
func (t Target) ask(ctx context.Context, nc net.Conn) (wire, error) {
	if t.http() {
		return get(ctx, nc, t)
	}
	w := &rtmpWire{rtmp.NewClientConn(nc, rtmp.Options{Limits: rtmp.Limits{Handshake: -1, Write: -1}}), t}
	if t.Scheme == "tcp" {
		return w, nil
	}
	return w, w.play()
}

// play is the conversation that a player has.
func (s *rtmpWire) play() error {
	if err := s.Handshake(); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	t := s.target
	if _, err := s.Connect(&rtmp.Connect{App: t.App, TCURL: t.tcURL(), FlashVer: "LNX 9,0,124,2"}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	id, err := s.CreateStreamNow()
	if err != nil {
		return fmt.Errorf("createStream: %w", err)
	}
	if err := s.Send(id, "play", t.Name+t.Query); err != nil {
		return fmt.Errorf("play: %w", err)
	}
	for {
		ev, err := s.Next()
		if err != nil {
			return fmt.Errorf("play: %w", err)
		}
		// Some servers send media before they say that they do.
		if ev.Kind == rtmp.EventMedia || ev.Kind == rtmp.EventStatus && ev.Status.Code == rtmp.CodePlayStart {
			return nil
		}
		if ev.Kind == rtmp.EventStatus && ends(ev.Status) {
			return &rtmp.StatusError{Status: *ev.Status}
		}
	}
}

// next implements wire.
func (s *rtmpWire) next() (*rtmp.Message, error) {
	if s.target.Scheme == "tcp" {
		for {
			m, err := s.ReadMessage()
			if err != nil || m.Type.IsMedia() {
				return m, err
			}
		}
	}
	for {
		ev, err := s.Next()
		switch {
		case err != nil:
			return nil, err
		case ev.Kind == rtmp.EventMedia:
			return ev.Message, nil
		case ev.Kind == rtmp.EventStatus && ends(ev.Status):
			return nil, &rtmp.StatusError{Status: *ev.Status}
		}
	}
}

// ends reports whether no media follows this status.
func ends(st *rtmp.Status) bool {
	return st.Level == rtmp.LevelError || st.Code == rtmp.CodePlayStop || st.Code == rtmp.CodePlayUnpublishNotify
}

// isKey reports whether a player could show a picture once it has m.
func isKey(m *rtmp.Message) bool {
	if m.Type != rtmp.Video {
		return false
	}
	info, err := flv.ParseVideo(m.Payload)
	return err == nil && info.Keyframe && !info.SequenceHeader
}

// why puts an error into few words, so that a thousand alike count as one reason.
func why(err error) string {
	var status *rtmp.StatusError
	var protocol *rtmp.Error
	var http *StatusError
	var errno syscall.Errno
	var netErr net.Error
	switch {
	case errors.As(err, &status):
		return status.Status.Code
	case errors.As(err, &http):
		return http.Error()
	case errors.As(err, &protocol):
		return string(protocol.Reason)
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed by the server"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "timeout"
	}
	return err.Error()
}
