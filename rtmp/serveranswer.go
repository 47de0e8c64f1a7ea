package rtmp

import (
	"slices"

	"weir/amf"
)

// Reply answers a command with _result. A command without a transaction wants
// no answer and gets none.
func (s *ServerConn) Reply(cmd *Command, args ...any) error {
	if cmd.Transaction == 0 {
		return nil
	}
	return s.command(&Command{Name: "_result", Transaction: cmd.Transaction, Args: args})
}

// ReplyError answers a command with _error.
func (s *ServerConn) ReplyError(cmd *Command, code, description string) error {
	if cmd.Transaction == 0 {
		return nil
	}
	return s.command(replyError(cmd, code, description))
}

func replyError(cmd *Command, code, description string) *Command {
	return &Command{Name: "_error", Transaction: cmd.Transaction, Args: []any{statusInfo(LevelError, code, description, nil)}}
}

// result is Next's own answer to a command. It goes out with others before Next
// waits, as do those of resultAnd, refuse, refuseOn and status.
func (s *ServerConn) result(cmd *Command, args ...any) error {
	if cmd.Transaction == 0 {
		return nil
	}
	if len(args) == 0 {
		args = []any{amf.Undefined{}} // the result of a function without one
	}
	return s.say(&Command{Name: "_result", Transaction: cmd.Transaction, Args: args})
}

// resultAnd answers a command and says more.
func (s *ServerConn) resultAnd(cmd *Command, more Command) error {
	if err := s.result(cmd); err != nil {
		return err
	}
	return s.say(&more)
}

// refuse answers a command with _error, up to a limit.
func (s *ServerConn) refuse(cmd *Command, code, description string) error {
	if err := s.refused(cmd); err != nil || cmd.Transaction == 0 {
		return err
	}
	return s.say(replyError(cmd, code, description))
}

// refuseOn answers a stream's command with an onStatus of level error.
func (s *ServerConn) refuseOn(cmd *Command, code, description string) error {
	if err := s.refused(cmd); err != nil {
		return err
	}
	return s.say(onStatus(cmd.StreamID, LevelError, code, description, nil))
}

func (s *ServerConn) status(streamID uint32, code, description string) error {
	return s.say(onStatus(streamID, LevelStatus, code, description, nil))
}

func (s *ServerConn) say(c *Command) error {
	return s.answer(&Message{Type: CommandAMF0, StreamID: c.StreamID, Payload: AppendCommand(make([]byte, 0, answerBytes), c)})
}

func (s *ServerConn) refused(cmd *Command) error {
	if s.refusals++; s.refusals > MaxRefusals {
		reason := ReasonCommandFlood
		if cmd.Name == "createStream" {
			reason = ReasonTooManyStreams
		}
		return &Error{Reason: reason, Type: CommandAMF0}
	}
	return nil
}

func (s *ServerConn) command(c *Command) error {
	return s.WriteMessage(&Message{Type: CommandAMF0, StreamID: c.StreamID, Payload: AppendCommand(make([]byte, 0, answerBytes), c)})
}

// AcceptPublish tells the client that it publishes. extra joins the information
// object.
func (s *ServerConn) AcceptPublish(r *PublishRequest, extra amf.Object) error {
	b := AppendUserControl(nil, StreamBegin, r.StreamID)
	if name := s.awaitFC(""); name != "" {
		// Not at the FCPublish itself: only now is it true.
		fc := onFC("onFCPublish", CodePublishStart, name)
		b = AppendCommandMessage(b, &fc, s.ChunkSize())
	}
	return s.WriteRaw(s.AppendStatus(b, r.StreamID, LevelStatus, CodePublishStart, "Publishing "+r.Name+".", extra))
}

// awaitFC notes the stream of an FCPublish that AcceptPublish will confirm, and
// returns the one that was noted before.
func (s *ServerConn) awaitFC(name string) (before string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.fcName = s.fcName, name
	return before
}

// RejectPublish tells the client that it does not publish. The message stream is
// free again.
func (s *ServerConn) RejectPublish(r *PublishRequest, code, description string) error {
	s.idle(r.StreamID)
	s.awaitFC("")
	return s.Status(r.StreamID, LevelError, code, description, nil)
}

// AcceptPlay tells the client that the stream begins.
func (s *ServerConn) AcceptPlay(r *PlayRequest, extra amf.Object) error {
	return s.WriteRaw(s.AppendAcceptPlay(nil, r, extra))
}

// AppendAcceptPlay appends what AcceptPlay writes, for a caller that sends it
// together with the first media: stream begin, Play.Reset if asked for,
// Play.Start and the access marker. extra joins the information object of
// Play.Start. There is no Data.Start, which no player waits for and FFmpeg takes
// for a track.
func (s *ServerConn) AppendAcceptPlay(dst []byte, r *PlayRequest, extra amf.Object) []byte {
	dst = AppendUserControl(slices.Grow(dst, 2*answerBytes), StreamBegin, r.StreamID)
	if r.Reset {
		dst = s.AppendStatus(dst, r.StreamID, LevelStatus, CodePlayReset, "Playing and resetting "+r.Name+".", nil)
	}
	dst = s.AppendStatus(dst, r.StreamID, LevelStatus, CodePlayStart, "Started playing "+r.Name+".", extra)
	return AppendMessage(dst, &Message{Type: DataAMF0, StreamID: r.StreamID, Payload: sampleAccess}, s.ChunkSize())
}

// sampleAccess is the access marker: players may look at the pictures and the sound.
var sampleAccess = amf.Append0(amf.Append0(amf.Append0(nil, "|RtmpSampleAccess"), true), true)

// RejectPlay tells the client that there is nothing to play. The message stream
// is free again.
func (s *ServerConn) RejectPlay(r *PlayRequest, code, description string) error {
	s.idle(r.StreamID)
	return s.Status(r.StreamID, LevelError, code, description, nil)
}

// Status sends an onStatus.
func (s *ServerConn) Status(streamID uint32, level, code, description string, extra amf.Object) error {
	return s.WriteRaw(s.AppendStatus(nil, streamID, level, code, description, extra))
}

// AppendStatus appends an onStatus as whole chunks.
func (s *ServerConn) AppendStatus(dst []byte, streamID uint32, level, code, description string, extra amf.Object) []byte {
	at := len(dst)
	dst = appendOnStatus(appendRoom(dst), level, code, description, extra)
	return closeMessage(dst, at, &Message{Type: CommandAMF0, StreamID: streamID}, s.ChunkSize())
}

// AppendStreamEOF appends the user control message that ends a stream.
func (s *ServerConn) AppendStreamEOF(dst []byte, streamID uint32) []byte {
	return AppendUserControl(dst, StreamEOF, streamID)
}

// RequestReconnect asks the client to leave for tcURL ("" = the same address)
// and come back (E-RTMP v2, Reconnect Request). Only for clients whose CapsEx has
// CapsReconnect.
func (s *ServerConn) RequestReconnect(tcURL, description string) error {
	var extra amf.Object
	if tcURL != "" {
		extra = amf.Object{{Key: "tcUrl", Value: tcURL}}
	}
	return s.Status(0, LevelStatus, CodeReconnect, description, extra)
}
