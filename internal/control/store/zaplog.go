package store

import (
	"context"
	"log/slog"
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// expected are warnings about choices that the embedded member makes knowingly,
// and the client's about each try of a call, which the call's own error sums up.
var expected = map[string]bool{
	"Running http and grpc server on single port. This is not recommended for production.": true,
	"simple token is not cryptographically signed":                                         true,
	"retrying of unary invoker failed":                                                     true,
}

// zapToSlog hands what etcd's code logs to a slog logger, from warnings up,
// until *mute is true; mute may be nil.
func zapToSlog(l *slog.Logger, mute *atomic.Bool) *zap.Logger {
	if l == nil {
		return zap.NewNop()
	}
	if mute == nil {
		mute = new(atomic.Bool)
	}
	return zap.New(slogCore{h: l.Handler(), mute: mute})
}

// slogCore is a zapcore.Core that writes to a slog handler.
type slogCore struct {
	h    slog.Handler
	mute *atomic.Bool
}

func (c slogCore) Enabled(lv zapcore.Level) bool {
	return lv >= zapcore.WarnLevel && !c.mute.Load() && c.h.Enabled(context.Background(), slogLevel(lv))
}

func (c slogCore) With(f []zapcore.Field) zapcore.Core {
	return slogCore{h: c.h.WithAttrs(slogAttrs(f)), mute: c.mute}
}

func (c slogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) && !expected[e.Message] {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c slogCore) Write(e zapcore.Entry, f []zapcore.Field) error {
	r := slog.NewRecord(e.Time, slogLevel(e.Level), "etcd: "+e.Message, 0)
	r.AddAttrs(slogAttrs(f)...)
	return c.h.Handle(context.Background(), r)
}

func (c slogCore) Sync() error { return nil }

// slogLevel maps errors to warnings too: what etcd calls an error is for this
// process a store that is away, which the cluster reports by itself.
func slogLevel(zapcore.Level) slog.Level { return slog.LevelWarn }

func slogAttrs(fields []zapcore.Field) []slog.Attr {
	enc := zapcore.NewMapObjectEncoder()
	attrs := make([]slog.Attr, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
	}
	for _, f := range fields {
		if v, ok := enc.Fields[f.Key]; ok {
			attrs = append(attrs, slog.Any(f.Key, v))
			delete(enc.Fields, f.Key)
		}
	}
	return attrs
}
