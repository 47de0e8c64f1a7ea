package node

import (
	"bytes"
	"log"

	"weir/internal/ops/event"
)

// httpLog is what an HTTP server of this node writes about itself. Only panics are told: all else
// (TLS handshakes that fail, bytes that are no request) is what strangers do to any public
// address, as often as they like.
func httpLog(emit event.Sink) *log.Logger { return log.New(panicLines(emit), "", 0) }

type panicLines event.Sink

// Write gets one entry, as package log does it; net/http's begins so for a panic, and has the stack.
func (emit panicLines) Write(p []byte) (int, error) {
	if trace, ok := bytes.CutPrefix(p, []byte("http: panic serving ")); ok {
		what, stack, _ := bytes.Cut(trace, []byte("\n"))
		event.Sink(emit).Emit(event.HandlerPanicked{What: string(what), Stack: string(stack)})
	}
	return len(p), nil
}
