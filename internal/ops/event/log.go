package event

import (
	"context"
	"log/slog"
)

// NewLog returns a Sink that writes each event as one log line. The node's name
// belongs into log (log.With("node", name)).
func NewLog(log *slog.Logger) Sink {
	ctx := context.Background()
	return func(e Event) {
		level, msg, attrs := e.line()
		if log.Enabled(ctx, level) {
			log.LogAttrs(ctx, level, msg, attrs...)
		}
	}
}
