package front

import (
	"context"

	"weir/internal/ops/event"
	"weir/internal/stream"
)

// Registry is where streams at foreign servers are claimed: those servers know
// nothing of one another, so this front is the stream's owner for the cluster, and
// says which server has it.
type Registry interface {
	// Claim makes this front the owner, or returns an *ingest.BusyError.
	Claim(ctx context.Context, r ClaimRequest) (Claim, error)
	// At says from memory where a stream is; false if nobody owns it.
	At(stream.Name) (At, bool)
	// Watch tells when At may have changed.
	Watch(stream.Name) (changed <-chan struct{}, stop func())
}

// ClaimRequest is who wants a stream.
type ClaimRequest struct {
	Name     stream.Name
	Timeline string // the publisher's clock: the same one is the same publisher, handed over
	Session  event.Session
	Encoder  string
	Server   string // where it is about to be published
	Moved    bool   // it has been on air before: it is no newcomer
}

// Claim is one held stream.
type Claim interface {
	Lost() <-chan struct{} // closed when it is another's
	MovedTo(server string) // it is published there now
	Release()              // once or more
}

// At is where a stream is.
type At struct {
	Server   string // the foreign server; "" if a node has it
	Timeline string
	Epoch    stream.Epoch
}

// alone is the Registry of a front that has none: every stream is free.
type alone struct{}

func (alone) Claim(context.Context, ClaimRequest) (Claim, error) { return held{}, nil }
func (alone) At(stream.Name) (At, bool)                          { return At{}, false }
func (alone) Watch(stream.Name) (<-chan struct{}, func())        { return nil, func() {} }

type held struct{}

func (held) Lost() <-chan struct{} { return nil }
func (held) MovedTo(string)        {}
func (held) Release()              {}
