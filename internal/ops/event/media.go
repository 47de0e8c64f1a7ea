package event

import (
	"log/slog"
	"time"

	"weir/internal/stream"
)

// PublishStarted: a publisher was accepted at this node. Resumed says that it
// came back within the grace and its viewers were kept.
type PublishStarted struct {
	Session
	Epoch   stream.Epoch
	Resumed bool
}

// PublishEnded: the publisher is gone; every PublishStarted has one.
type PublishEnded struct {
	Session
	Epoch   stream.Epoch
	Reason  Reason
	BytesIn int64
	Dur     time.Duration
}

// PullStarted: this node asks From for a stream, because somebody here watches.
type PullStarted struct {
	Name  stream.Name
	From  string // node name
	Epoch stream.Epoch
}

// PullEnded: the pull is over; every PullStarted has one. A stream that goes on
// from another node is another pull.
type PullEnded struct {
	Name    stream.Name
	From    string
	Reason  Reason
	Err     error
	BytesIn int64
	Dur     time.Duration
}

func (e PublishStarted) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "publish started", append(e.attrs(),
		slog.String("epoch", e.Epoch.String()), slog.Bool("resumed", e.Resumed))
}

func (e PublishEnded) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "publish ended", append(e.attrs(),
		slog.String("epoch", e.Epoch.String()), slog.String("reason", string(e.Reason)),
		slog.Int64("bytes", e.BytesIn), slog.Duration("dur", e.Dur))
}

func (e PullStarted) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "pull started", append(nameAttrs(e.Name),
		slog.String("from", e.From), slog.String("epoch", e.Epoch.String()))
}

func (e PullEnded) line() (slog.Level, string, []slog.Attr) {
	a := append(nameAttrs(e.Name), slog.String("from", e.From), slog.String("reason", string(e.Reason)))
	return slog.LevelInfo, "pull ended", append(appendErr(a, e.Err), slog.Int64("bytes", e.BytesIn), slog.Duration("dur", e.Dur))
}

func nameAttrs(n stream.Name) []slog.Attr {
	return []slog.Attr{slog.String("app", n.App), slog.String("stream", n.Stream)}
}
