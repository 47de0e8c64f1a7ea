package rtmp

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"

	"weir/amf"
)

// ServerConn is the server's side of the conversation. Its stages, in order, on
// one goroutine: Handshake, ReadConnect, AcceptConnect or RejectConnect, then
// Next until it fails. Next answers all that needs no policy and returns what
// the caller must decide or carry:
//
//	        createStream             Next: EventPublish      AcceptPublish
//	(none) ─────────────▶ idle ─────────────────────▶ publishing ──▶ EventMedia …
//	                       ▲ │ Next: EventPlay
//	                       │ └──────────────────────▶ playing
//	                       └──── RejectPublish, RejectPlay, closeStream; EventClose
//
// A publish should be answered before Next is called again: what comes out of
// Next from then on is the publisher's media, whether it was accepted or not,
// and relays send their headers without waiting for the answer.
//
// Answers may be given from any goroutine. Those that Next gives itself are
// written together, before it waits for the client.
type ServerConn struct {
	*Conn
	handUp []string
	drops  drops

	// The reading goroutine's.
	connect  *Connect
	refusals int
	ev       Event
	next     *Event   // comes out before anything else is read
	deferred *Message // read while nothing could be answered; next to be handled

	mu      sync.Mutex
	max     int
	streams []streamState // by id - 1: create gives out the lowest
	fcName  string        // the stream of an FCPublish that waits for its onFCPublish
}

type streamState uint8

const (
	streamAbsent streamState = iota
	streamIdle
	streamPublishing
	streamPlaying
)

// NewServerConn makes a ServerConn of an accepted connection, which it owns.
func NewServerConn(nc net.Conn, o Options) *ServerConn {
	s := &ServerConn{Conn: NewConn(nc, o), handUp: o.HandUp}
	s.max = s.opt.Limits.NetStreams
	return s
}

// Handshake runs the server's handshake, and does not look whether the client has
// understood it.
func (s *ServerConn) Handshake() error {
	_, err := s.handshake(func(rw io.ReadWriter, o HandshakeOptions) (HandshakeInfo, error) {
		o.Unverified = true
		return ServerHandshake(rw, o)
	})
	return err
}

// SetMaxStreams changes how many message streams the client may have.
func (s *ServerConn) SetMaxStreams(n int) {
	s.mu.Lock()
	s.max = n
	s.mu.Unlock()
}

// ReadConnect returns the connect command. Anything else before it is an
// *[Error] with ReasonConnectExpected.
func (s *ServerConn) ReadConnect() (*Connect, error) {
	for {
		m, err := s.ReadMessage()
		if err != nil {
			return nil, err
		}
		switch {
		case m.Type == UserControl:
			continue
		case !m.Type.IsCommand():
			return nil, &Error{Reason: ReasonConnectExpected, Type: m.Type}
		}
		cmd, err := ParseCommand(m, s.opt.Limits.amf())
		if err != nil {
			return nil, err
		}
		if cmd.Name != "connect" {
			s.ReplyError(&cmd, CodeCallFailed, "Connect first.")
			return nil, &Error{Reason: ReasonConnectExpected, Type: m.Type, Err: errors.New("got " + quote(cmd.Name))}
		}
		s.connect = parseConnect(&cmd)
		return s.connect, nil
	}
}

// AcceptConnect answers the connect: window, bandwidth, chunk size and result in
// one write. extra joins the properties of the result. What the server can do
// with enhanced RTMP is told to clients that told what they can.
func (s *ServerConn) AcceptConnect(extra amf.Object) error {
	c := s.connect
	props := amf.Object{{Key: "fmsVer", Value: "FMS/3,5,7,7009"}, {Key: "capabilities", Value: 31}, {Key: "mode", Value: 1}}
	if c.CapsEx != 0 || len(c.FourCCList) > 0 || len(c.VideoFourCCInfo) > 0 || len(c.AudioFourCCInfo) > 0 {
		props = append(props, forwards()...)
	}
	props = append(props, extra...)
	info := statusInfo(LevelStatus, CodeConnectSuccess, "Connection succeeded.", amf.Object{{Key: "objectEncoding", Value: c.ObjectEncoding}})
	result := Command{Name: "_result", Transaction: c.Transaction, Object: props, Args: []any{info}}

	window := AppendSetPeerBandwidth(AppendWindowAckSize(nil, s.opt.WindowAck), s.opt.WindowAck, LimitDynamic)
	return s.announce(window, s.opt.ChunkSize, &Message{Type: CommandAMF0, Payload: AppendCommand(make([]byte, 0, 2*answerBytes), &result)})
}

// RejectConnect answers the connect with a refusal; ex joins the information
// object. The caller closes the connection.
func (s *ServerConn) RejectConnect(description string, ex amf.Object) error {
	return s.command(&Command{Name: "_error", Transaction: s.connect.Transaction,
		Args: []any{statusInfo(LevelError, CodeConnectRejected, description, ex)}})
}

// Next returns the next event. Errors are those of ReadMessage, and *[Error] for
// a client that breaks the conversation. Under NeverWait only media comes out:
// what else the client says is ErrOwes, and comes first once NeverWait is off.
func (s *ServerConn) Next() (Event, error) {
	if ev := s.next; ev != nil {
		s.next = nil
		return *ev, nil
	}
	for {
		m, err := s.deferred, error(nil)
		if s.deferred = nil; m == nil {
			m, err = s.ReadMessage()
		}
		if err != nil {
			return Event{}, err
		}
		if s.mute && !m.Type.IsMedia() {
			s.deferred = m
			return Event{}, ErrOwes
		}
		s.ev = Event{StreamID: m.StreamID}
		var up bool
		switch {
		case m.Type.IsMedia():
			up = s.media(m)
		case m.Type.IsCommand():
			up, err = s.take(m)
		case m.Type == UserControl:
			up = s.control(m)
		default:
			s.drops.unknownMessage.Add(1)
		}
		if err != nil {
			s.settle() // the client shall hear what it was told before
			return Event{}, err
		}
		if up {
			return s.ev, nil
		}
	}
}

// media hands up what belongs to a publishing stream. The rest is dropped and
// counted: a player's data, or what was under way when its publish was refused.
func (s *ServerConn) media(m *Message) bool {
	switch s.state(m.StreamID) {
	case streamPublishing:
		s.ev.Kind, s.ev.Message = EventMedia, m
		return true
	case streamAbsent:
		s.drops.unknownStream.Add(1)
	default:
		s.drops.notPublishing.Add(1)
	}
	return false
}

func (s *ServerConn) control(m *Message) bool {
	ctl, err := ParseControl(m)
	if err != nil || ctl.Event != SetBufferLength {
		return false
	}
	s.ev.Kind, s.ev.StreamID, s.ev.Value = EventBufferLength, ctl.Value, ctl.Buffer
	return true
}

func (s *ServerConn) state(id uint32) streamState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stateLocked(id)
}

func (s *ServerConn) stateLocked(id uint32) streamState {
	if id == 0 || int64(id) > int64(len(s.streams)) {
		return streamAbsent
	}
	return s.streams[id-1]
}

// plays reports whether id is a playing stream.
func (s *ServerConn) plays(id uint32) bool { return s.state(id) == streamPlaying }

// begin takes an idle stream into use; false if it does not exist or is in use.
func (s *ServerConn) begin(id uint32, to streamState) (Reason, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.stateLocked(id) {
	case streamAbsent:
		return ReasonUnknownStream, false
	case streamIdle:
		s.streams[id-1] = to
		return "", true
	}
	return ReasonStreamBusy, false
}

// idle makes a stream free for another publish or play; was tells what it did.
func (s *ServerConn) idle(id uint32) (was streamState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was = s.stateLocked(id); was != streamAbsent {
		s.streams[id-1] = streamIdle
	}
	return was
}

// create makes the stream with the lowest free id, 0 if there are enough. The
// lowest, so that a client that deletes its stream and creates one gets the same
// id again; from 1, because GStreamer refuses 0 and nginx-rtmp assumes 1.
func (s *ServerConn) create() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.streams, streamAbsent)
	if i < 0 {
		if i = len(s.streams); i >= s.max {
			return 0
		}
		s.streams = append(s.streams, streamAbsent)
	}
	s.streams[i] = streamIdle
	return uint32(i + 1)
}

func (s *ServerConn) remove(id uint32) (was streamState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was = s.stateLocked(id); was != streamAbsent {
		s.streams[id-1] = streamAbsent
	}
	return was
}

// quote is a stranger's word for an error message.
func quote(s string) string {
	if len(s) > 32 {
		s = s[:32] + "…"
	}
	return `"` + s + `"`
}
