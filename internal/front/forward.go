package front

import (
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// outcome is why forwarding from one edge ended.
type outcome struct {
	ended  bool // the play is over; else another edge may go on
	asked  bool // the edge asked for it
	reason event.Reason
	by     event.Side
	err    error
}

func over(reason event.Reason, by event.Side, err error) outcome {
	return outcome{ended: true, reason: reason, by: by, err: err}
}

// forward carries one edge's messages to the client.
func (v *viewer) forward(l *leg) outcome {
	client := v.p.Conn
	for {
		ev, err := l.read()
		if err != nil {
			return outcome{reason: event.SourceLost, by: event.ByBackend, err: err}
		}
		switch ev.Kind {
		case rtmp.EventMedia:
			m := *ev.Message
			l.foreign.entry.Out.Add(int64(len(m.Payload)))
			m.StreamID = v.p.Request.StreamID
			if !v.clock.Place(&m) {
				continue
			}
			if err := client.Queue(&m); err != nil {
				return over(clientFailed(err))
			}
			// One write for all that has arrived: a GOP comes in one piece, a live
			// frame at once.
			if !l.buffered() {
				if err := client.Flush(); err != nil {
					return over(clientFailed(err))
				}
			}
		case rtmp.EventStatus:
			switch ev.Status.Code {
			case member.CodeClock:
				base, shift := member.ParseClock(ev.Status.Info)
				v.clock.SetClock(live.Clock{Base: base, Shift: shift})
			case rtmp.CodeReconnect:
				return outcome{asked: true, reason: event.NodeLeft, by: event.ByServer}
			case rtmp.CodePlayUnpublishNotify, rtmp.CodePlayStop, rtmp.CodePlayComplete:
				return over(event.StreamEnded, event.ByServer, nil)
			}
		}
	}
}

// clientFailed is how a carried play ends when its client cannot be written to.
func clientFailed(err error) (event.Reason, event.Side, error) {
	reason, by := session.WriteFailed(err)
	return reason, by, err
}
