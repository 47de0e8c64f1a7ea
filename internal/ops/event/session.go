package event

import (
	"log/slog"
	"time"

	"weir/rtmp"
)

// Role says what a connection is for, once known.
type Role string

const (
	RoleUnknown   Role = "unknown"   // connected, has not said yet
	RolePublisher Role = "publisher" // brings a stream
	RoleViewer    Role = "viewer"    // takes a stream
	RoleFeed      Role = "feed"      // another node, taking or bringing streams
)

// Roles lists every Role: the values that the metric label "role" can have.
func Roles() []Role { return []Role{RoleUnknown, RolePublisher, RoleViewer, RoleFeed} }

// Side says who ended a session.
type Side string

const (
	ByClient  Side = "client"  // the peer that connected to us
	ByServer  Side = "server"  // this node
	ByBackend Side = "backend" // the server behind us
)

// Phase says how far a session had come.
type Phase string

const (
	PhaseTLS       Phase = "tls"       // TLS handshake
	PhaseHandshake Phase = "handshake" // C0 to C2
	PhaseConnect   Phase = "connect"   // waiting for or answering connect
	PhaseCommand   Phase = "command"   // connected; neither publishing nor playing yet
	PhasePlace     Phase = "place"     // a server is being chosen and dialled
	PhaseMedia     Phase = "media"     // publishing or playing
)

// Session identifies a connection in events. Conn is unique in this process, and
// zero where the speaker knows the stream but not the connection.
// Remote is the client's host:port as well as it is known (behind a front: the
// front's client). App and Stream are empty until known.
type Session struct {
	Conn   uint64
	Remote string
	Role   Role
	App    string
	Stream string
}

func (s Session) attrs() []slog.Attr {
	a := make([]slog.Attr, 0, 12)
	if s.Conn != 0 {
		a = append(a, slog.Uint64("conn", s.Conn))
	}
	a = appendText(a, "remote", s.Remote)
	a = appendText(a, "role", string(s.Role))
	a = appendText(a, "app", s.App)
	return appendText(a, "stream", s.Stream)
}

// SessionOpened: a connection was accepted.
type SessionOpened struct{ Session }

// SessionClosed is the closing line of a session: who, what, how long, how much,
// who ended it, in which phase and why. Every SessionOpened has exactly one,
// with the same Conn; the Role may have become known in between.
type SessionClosed struct {
	Session
	Reason   Reason
	EndedBy  Side
	Phase    Phase
	Err      error // nil when the session ended as planned
	BytesIn  int64 // from the client, on the wire
	BytesOut int64 // to the client, on the wire
	Dur      time.Duration
}

// Empty reports a connection that its client ended before it had sent a byte: a check of a load
// balancer, a look at the port.
func (e *SessionClosed) Empty() bool {
	if e.BytesIn > 0 || e.Phase != PhaseHandshake { // what has come before is not counted in the TLS handshake
		return false
	}
	return e.Reason == ClientClosed || e.Reason == ClientGone || e.Reason == Reason(rtmp.ReasonHandshakeEnded)
}

// Refused: a connection or a request was turned away before it became a
// session of a role: too many connections of one address, a stream that does not
// exist, a name that is not allowed, a busy key.
type Refused struct {
	Session
	Reason Reason
	Err    error
}

// LimitHit: a limit bit without ending the session (what ends one is the Reason
// of its SessionClosed).
type LimitHit struct {
	Session
	Reason Reason
	Err    error
}

// ViewersSkipped counts the times that viewers of a stream fell behind by more than
// the limit and were moved to the newest key frame. Speakers add up and emit at most
// once a second.
type ViewersSkipped struct {
	Session
	Reason Reason
	Count  int64
}

// MediaDropped counts messages of a publisher or a feed that were not written
// to the stream. Speakers add up and emit at most once a second and at the end.
type MediaDropped struct {
	Session
	Reason Reason
	Count  int64
}

const openedLevel = slog.LevelDebug

func (e SessionOpened) line() (slog.Level, string, []slog.Attr) {
	return openedLevel, "session opened", e.attrs()
}

func (e SessionClosed) line() (slog.Level, string, []slog.Attr) {
	a := append(e.attrs(),
		slog.String("reason", string(e.Reason)),
		slog.String("ended_by", string(e.EndedBy)),
		slog.String("phase", string(e.Phase)))
	a = appendErr(a, e.Err)
	level := slog.LevelInfo
	if e.Empty() {
		level = slog.LevelDebug // a load balancer's check each few seconds, for as long as the node runs
	}
	return level, "session closed", append(a,
		slog.Int64("bytes_in", e.BytesIn), slog.Int64("bytes_out", e.BytesOut), slog.Duration("dur", e.Dur))
}

func (e Refused) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "refused", appendErr(append(e.attrs(), slog.String("reason", string(e.Reason))), e.Err)
}

func (e LimitHit) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelDebug, "limit hit", appendErr(append(e.attrs(), slog.String("reason", string(e.Reason))), e.Err)
}

func (e ViewersSkipped) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelDebug, "viewers skipped", append(e.attrs(),
		slog.String("reason", string(e.Reason)), slog.Int64("count", e.Count))
}

func (e MediaDropped) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelDebug, "media dropped", append(e.attrs(),
		slog.String("reason", string(e.Reason)), slog.Int64("count", e.Count))
}

func appendText(a []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return a
	}
	return append(a, slog.String(key, value))
}

func appendErr(a []slog.Attr, err error) []slog.Attr {
	if err == nil {
		return a
	}
	return append(a, slog.String("err", err.Error()))
}
