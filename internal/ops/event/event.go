package event

import (
	"log/slog"
)

// Event is one thing that happened. All implementations are in this package.
type Event interface {
	// line says how the event looks in the log: level, message and attributes,
	// with the keys of the log contract (node conn remote role app stream reason
	// err bytes dur).
	line() (slog.Level, string, []slog.Attr)
}

// Sink receives events. The nil Sink is valid for [Sink.Emit] and drops them.
type Sink func(Event)

// Emit calls s unless it is nil.
func (s Sink) Emit(e Event) {
	if s != nil {
		s(e)
	}
}

// Tee returns a Sink that calls each of sinks in order; nil ones are left out.
func Tee(sinks ...Sink) Sink {
	var live []Sink
	for _, s := range sinks {
		if s != nil {
			live = append(live, s)
		}
	}
	return func(e Event) {
		for _, s := range live {
			s(e)
		}
	}
}
