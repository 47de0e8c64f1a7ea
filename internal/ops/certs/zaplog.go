package certs

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapToSlog hands certmagic's warnings and errors to a slog logger. Its progress
// is told by events, see [ACME].
func zapToSlog(l *slog.Logger) *zap.Logger {
	return zap.New(slogCore{l.Handler()})
}

type slogCore struct{ h slog.Handler }

// Enabled maps all to warnings: no certificate yet, or not renewed yet, is
// tried again and ends nothing.
func (c slogCore) Enabled(lv zapcore.Level) bool {
	return lv >= zapcore.WarnLevel && c.h.Enabled(context.Background(), slog.LevelWarn)
}

func (c slogCore) With(f []zapcore.Field) zapcore.Core { return slogCore{c.h.WithAttrs(attrs(f))} }

func (c slogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c slogCore) Write(e zapcore.Entry, f []zapcore.Field) error {
	r := slog.NewRecord(e.Time, slog.LevelWarn, "acme: "+e.Message, 0)
	r.AddAttrs(attrs(f)...)
	return c.h.Handle(context.Background(), r)
}

func (c slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) []slog.Attr {
	enc := zapcore.NewMapObjectEncoder()
	out := make([]slog.Attr, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
		if v, ok := enc.Fields[f.Key]; ok {
			out = append(out, slog.Any(f.Key, v))
		}
	}
	return out
}
