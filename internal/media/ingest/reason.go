package ingest

import (
	"errors"

	"weir/internal/ops/event"
)

// Evictions, as errors that say why a publication ended from outside.
var (
	ErrClosed     = errors.New("ingest: the publication is closed")
	ErrTakenOver  = errors.New("ingest: a newcomer has the stream now")
	ErrHandedOver = errors.New("ingest: the publisher has come over another connection")
	ErrFenced     = errors.New("ingest: a higher epoch owns the stream")
	ErrNoMedia    = errors.New("ingest: no media after the publish was accepted")
	ErrSilent     = errors.New("ingest: the publisher fell silent")
	ErrKicked     = errors.New("ingest: ended by an operator")
)

// Reason is the word for why a publication ended.
func Reason(why error) event.Reason {
	switch {
	case errors.Is(why, ErrTakenOver):
		return event.TakenOver
	case errors.Is(why, ErrHandedOver):
		return event.HandedOver
	case errors.Is(why, ErrFenced):
		return event.StaleEpoch
	case errors.Is(why, ErrNoMedia):
		return event.FirstMediaTimeout
	case errors.Is(why, ErrSilent):
		return event.PublisherSilent
	case errors.Is(why, ErrKicked):
		return event.Kicked
	}
	return event.Unpublished
}
