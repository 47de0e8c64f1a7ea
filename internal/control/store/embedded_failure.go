package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// abandonAfter is how long the stopping of a member that has failed is waited for. What it waits
// for itself may never come: a part of it that was in the middle of something has stopped there.
const abandonAfter = 2 * time.Second

// failure is how a member in this process ends by itself. etcd's code ends its process when
// it cannot write, and with it every stream here; as the hook of its logger for that, this ends the
// member alone.
type failure struct {
	log  *slog.Logger // may be nil
	dir  string
	once sync.Once
	done chan struct{} // closed when the member has failed
	err  error         // why; static once done is closed
}

func newFailure(log *slog.Logger, dir string) *failure {
	return &failure{log: log, dir: dir, done: make(chan struct{})}
}

// logger makes a logger of etcd's code that does not end the process.
func (f *failure) logger(l *zap.Logger) *zap.Logger {
	return l.WithOptions(zap.WithFatalHook(f), zap.WithPanicHook(f))
}

// OnWrite implements [zapcore.CheckWriteHook]. It does not return, and keeps its goroutine: were that to
// end, what etcd defers would run on a broken state, and some of it panics.
func (f *failure) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	err := errors.New(e.Message)
	for _, field := range fields {
		if cause, ok := field.Interface.(error); ok && field.Type == zapcore.ErrorType {
			err = fmt.Errorf("%s: %w", e.Message, cause)
		}
	}
	f.fail(err)
	select {}
}

// fail ends the member, for the first reason given.
func (f *failure) fail(err error) {
	f.once.Do(func() {
		f.err = err
		if f.log != nil {
			f.log.Error("the embedded store has failed, and stays away until this node is restarted; see to its disk first. Streams go on", "dir", f.dir, "err", f.err)
		}
		close(f.done)
	})
}

// get is nil unless the member has failed. So is that of a nil failure.
func (f *failure) get() error {
	if f == nil {
		return nil
	}
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// wait waits until the member has stopped, or has failed and had its time to.
func (f *failure) wait(stopped <-chan struct{}) {
	select {
	case <-stopped:
		return
	case <-f.done:
	}
	select {
	case <-stopped:
	case <-time.After(abandonAfter):
	}
}
