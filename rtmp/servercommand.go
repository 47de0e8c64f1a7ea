package rtmp

import "slices"

// take handles one command; up means that s.ev is for the caller.
func (s *ServerConn) take(m *Message) (up bool, err error) {
	cmd, err := ParseCommand(m, s.opt.Limits.amf())
	if err != nil {
		return false, err
	}
	if slices.Contains(s.handUp, cmd.Name) {
		s.ev.Kind, s.ev.Command = EventCommand, &cmd
		return true, nil
	}
	switch cmd.Name {
	case "connect":
		return false, &Error{Reason: ReasonSecondConnect, Type: m.Type}
	case "createStream":
		return false, s.createStream(&cmd)
	case "deleteStream":
		id := streamNumber(cmd.Arg(0)) // no number but a name from GStreamer, after its FCUnpublish
		return s.ended(id, s.remove(id)), nil
	case "closeStream":
		return s.closeStream(m.StreamID)
	case "publish":
		return s.publish(&cmd)
	case "play", "play2":
		return s.play(&cmd)
	case "releaseStream":
		return false, s.result(&cmd)
	case "FCPublish":
		name, _ := cmd.String(0)
		s.awaitFC(name)
		return false, s.result(&cmd)
	case "FCUnpublish":
		return s.fcUnpublish(&cmd)
	case "FCSubscribe":
		name, _ := cmd.String(0)
		return false, s.resultAnd(&cmd, onFC("onFCSubscribe", CodePlayStart, "Started playing "+name+"."))
	case "checkBandwidth":
		// Flash waits for this call; the zeros say that nothing was measured.
		return false, s.resultAnd(&cmd, Command{Name: "onBWDone", Args: []any{0.0, 0.0, 0.0, 0.0}})
	case "FCUnsubscribe", "_checkbw", "setPeerInfo":
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
	return was > streamIdle
}

func (s *ServerConn) publish(cmd *Command) (bool, error) {
	name, ok := cmd.String(0)
	if !ok {
		return false, s.refuseOn(cmd, CodePublishBadName, "publish needs a stream name.")
	}
	if reason, ok := s.begin(cmd.StreamID, streamPublishing); !ok {
		return false, s.refuseOn(cmd, CodePublishDenied, inUse(reason))
	}
	s.ev.Kind, s.ev.Publish = EventPublish, parsePublish(cmd, name)
	return true, nil
}

// play handles play, which may also replace what plays on the stream, or with
// false for a name stop it, and play2, which is play with an object.
func (s *ServerConn) play(cmd *Command) (bool, error) {
	replaces := s.plays(cmd.StreamID)
	if on, isBool := cmd.Arg(0).(bool); isBool && !on && replaces {
		return s.closeStream(cmd.StreamID)
	}
	r, ok := parsePlay(cmd)
	if !ok {
		return false, s.refuseOn(cmd, CodePlayFailed, "play needs a stream name.")
	}
	if replaces {
		s.idle(cmd.StreamID)
	}
	if reason, ok := s.begin(cmd.StreamID, streamPlaying); !ok {
		return false, s.refuseOn(cmd, CodePlayFailed, inUse(reason))
	}
	s.ev.Kind, s.ev.Play = EventPlay, r
	if replaces { // the caller hears of the end first
		play := s.ev
		s.next, s.ev = &play, Event{}
		s.ended(cmd.StreamID, streamPlaying)
	}
	return true, nil
}

// closeStream ends what a stream does; the stream stays, for another publish or
// play.
func (s *ServerConn) closeStream(id uint32) (bool, error) {
	was := s.idle(id)
	if was == streamPublishing {
		if err := s.status(id, CodeUnpublish, "Stopped publishing."); err != nil {
			return false, err
		}
	}
	return s.ended(id, was), nil
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
	s.awaitFC("")
	if err := s.resultAnd(cmd, onFC("onFCUnpublish", CodeUnpublish, "Stopped publishing.")); err != nil {
		return false, err
	}
	// Clients with several publishes on one connection end each by deleteStream;
	// FCUnpublish is by name, and only clear when there is one.
	s.mu.Lock()
	var publishing []uint32
	for i, st := range s.streams {
		if st == streamPublishing {
			publishing = append(publishing, uint32(i+1))
		}
	}
	s.mu.Unlock()
	if len(publishing) != 1 {
		return false, nil
	}
	return s.closeStream(publishing[0])
}

func (s *ServerConn) pause(cmd *Command) (bool, error) {
	on, ok := cmd.Arg(0).(bool)
	if !ok || !s.plays(cmd.StreamID) {
		return false, s.refuse(cmd, CodeCallFailed, "pause needs true or false, on a playing stream.")
	}
	// librtmp goes by the user control event, Flash by the code.
	event, code, text := StreamBegin, CodeUnpauseNotify, "Unpaused."
	if on {
		event, code, text = StreamEOF, CodePauseNotify, "Paused."
	}
	s.ev.Kind, s.ev.Flag = EventPause, on
	if err := s.answer(&Message{Type: UserControl, Payload: AppendUserControl(nil, event, cmd.StreamID)[type0Size:]}); err != nil {
		return false, err
	}
	return true, s.status(cmd.StreamID, code, text)
}

// seek is answered as if it had worked: a live stream has one position, and
// players that hear of a failure stop.
func (s *ServerConn) seek(cmd *Command) (bool, error) {
	if !s.plays(cmd.StreamID) {
		return false, s.refuse(cmd, CodeCallFailed, "seek needs a playing stream.")
	}
	s.ev.Kind = EventSeek
	return true, s.status(cmd.StreamID, CodeSeekNotify, "Live: playing on.")
}

func (s *ServerConn) receive(cmd *Command) (bool, error) {
	on, ok := cmd.Arg(0).(bool)
	if !ok || !s.plays(cmd.StreamID) {
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
