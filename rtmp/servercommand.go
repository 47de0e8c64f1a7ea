package rtmp

import (
	"strings"

	"weir/amf"
)

// take handles one command; up means that s.ev is for the caller.
func (s *ServerConn) take(m *Message) (up bool, err error) {
	cmd, err := ParseCommand(m, s.opt.Limits.amf())
	if err != nil {
		return false, err
	}
	if s.handUp[cmd.Name] {
		s.ev.Kind, s.ev.Command = EventCommand, &cmd
		return true, nil
	}
	switch cmd.Name {
	case "connect":
		return false, &Error{Reason: ReasonSecondConnect, Type: m.Type}
	case "createStream":
		return false, s.createStream(&cmd)
	case "deleteStream":
		id, _ := cmd.Number(0)
		return s.ended(uint32(id), s.remove(uint32(id))), nil
	case "closeStream":
		return s.ended(m.StreamID, s.idle(m.StreamID)), nil
	case "publish":
		return s.publish(&cmd)
	case "play", "play2":
		return s.play(&cmd)
	case "releaseStream":
		return false, s.result(&cmd)
	case "FCPublish":
		s.fcName, _ = cmd.String(0)
		return false, s.result(&cmd)
	case "FCUnpublish":
		return s.fcUnpublish(&cmd)
	case "FCSubscribe":
		name, _ := cmd.String(0)
		return false, s.resultAnd(&cmd, onFC("onFCSubscribe", CodePlayStart, "Started playing "+name+"."))
	case "FCUnsubscribe", "_checkbw", "checkBandwidth", "setPeerInfo":
		return false, s.result(&cmd)
	case "getStreamLength":
		return false, s.result(&cmd, 0.0) // live: no length
	case "pause", "pauseRaw":
		return s.pause(&cmd)
	case "seek":
		return s.seek(&cmd)
	case "receiveAudio", "receiveVideo":
		return s.receive(&cmd)
	case "_result", "_error", "onStatus":
		return false, nil // answers to what we never asked
	}
	return false, s.refuse(&cmd, CodeCallFailed, "Method not found ("+cmd.Name+").")
}

func (s *ServerConn) createStream(cmd *Command) error {
	id := s.create()
	if id == 0 {
		return s.refuse(cmd, CodeCallFailed, "Too many streams on this connection.")
	}
	return s.result(cmd, float64(id))
}

// ended is the caller's news that a stream that did something does it no more.
func (s *ServerConn) ended(id uint32, was streamState) bool {
	s.ev.Kind, s.ev.StreamID = EventClose, id
	return was != streamIdle
}

func (s *ServerConn) publish(cmd *Command) (bool, error) {
	name, ok := cmd.String(0)
	if !ok {
		return false, s.refuseOn(cmd, CodePublishBadName, "publish needs a stream name.")
	}
	if reason, ok := s.begin(cmd.StreamID, streamPublishing); !ok {
		return false, s.refuseOn(cmd, CodePublishDenied, inUse(reason))
	}
	r := &PublishRequest{StreamID: cmd.StreamID, Transaction: cmd.Transaction, Args: cmd.Args}
	r.Name, r.Query, _ = strings.Cut(name, "?")
	r.Type, _ = cmd.String(1)
	s.ev.Kind, s.ev.Publish = EventPublish, r
	return true, nil
}

func (s *ServerConn) play(cmd *Command) (bool, error) {
	r := &PlayRequest{StreamID: cmd.StreamID, Transaction: cmd.Transaction, Args: cmd.Args, Start: -2, Duration: -1, Reset: true}
	name, ok := cmd.String(0)
	if cmd.Name == "play2" {
		if o, isObject := amf.Properties(cmd.Arg(0)); isObject {
			name = o.String("streamName")
			ok = name != ""
		}
		// play2 changes what plays: it may replace a running play.
		s.idle(cmd.StreamID)
	}
	if !ok {
		return false, s.refuseOn(cmd, CodePlayFailed, "play needs a stream name.")
	}
	if reason, ok := s.begin(cmd.StreamID, streamPlaying); !ok {
		return false, s.refuseOn(cmd, CodePlayFailed, inUse(reason))
	}
	r.Name, r.Query, _ = strings.Cut(name, "?")
	if n, ok := cmd.Number(1); ok {
		r.Start = n
	}
	if n, ok := cmd.Number(2); ok {
		r.Duration = n
	}
	switch v := cmd.Arg(3).(type) {
	case bool:
		r.Reset = v
	case float64:
		r.Reset = v != 0
	}
	s.ev.Kind, s.ev.Play = EventPlay, r
	return true, nil
}

func inUse(r Reason) string {
	if r == ReasonUnknownStream {
		return "No such message stream: createStream first."
	}
	return "This message stream is already in use."
}

// fcUnpublish ends the publish that it names; deleteStream may follow and finds
// nothing left to end.
func (s *ServerConn) fcUnpublish(cmd *Command) (bool, error) {
	if err := s.resultAnd(cmd, onFC("onFCUnpublish", CodeUnpublish, "Stopped publishing.")); err != nil {
		return false, err
	}
	// Clients with several publishes on one connection end each by deleteStream;
	// FCUnpublish is by name, and only clear when there is one.
	s.mu.Lock()
	var publishing []uint32
	for id, st := range s.streams {
		if st == streamPublishing {
			publishing = append(publishing, id)
		}
	}
	s.mu.Unlock()
	if len(publishing) != 1 {
		return false, nil
	}
	return s.ended(publishing[0], s.idle(publishing[0])), nil
}

func (s *ServerConn) pause(cmd *Command) (bool, error) {
	on, ok := cmd.Arg(0).(bool)
	if !ok || s.state(cmd.StreamID) != streamPlaying {
		return false, s.refuse(cmd, CodeCallFailed, "pause needs true or false, on a playing stream.")
	}
	code, text := CodeUnpauseNotify, "Unpaused."
	if on {
		code, text = CodePauseNotify, "Paused."
	}
	s.ev.Kind, s.ev.Flag = EventPause, on
	return true, s.Status(cmd.StreamID, LevelStatus, code, text, nil)
}

// seek is answered as if it had worked: a live stream has one position, and
// players that hear of a failure stop.
func (s *ServerConn) seek(cmd *Command) (bool, error) {
	if s.state(cmd.StreamID) != streamPlaying {
		return false, s.refuse(cmd, CodeCallFailed, "seek needs a playing stream.")
	}
	s.ev.Kind = EventSeek
	return true, s.Status(cmd.StreamID, LevelStatus, CodeSeekNotify, "Live: playing on.", nil)
}

func (s *ServerConn) receive(cmd *Command) (bool, error) {
	on, ok := cmd.Arg(0).(bool)
	if !ok || s.state(cmd.StreamID) != streamPlaying {
		return false, s.refuse(cmd, CodeCallFailed, cmd.Name+" needs true or false, on a playing stream.")
	}
	s.ev.Kind, s.ev.Flag = EventReceiveAudio, on
	if cmd.Name == "receiveVideo" {
		s.ev.Kind = EventReceiveVideo
	}
	return true, s.result(cmd)
}

// onFC is the notification that Flash-era encoders and players wait for after an
// FC command.
func onFC(name, code, description string) Command {
	return Command{Name: name, Args: []any{statusInfo(LevelStatus, code, description, nil)}}
}
