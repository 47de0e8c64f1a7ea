package web

import (
	"errors"
	"net/netip"
	"sync/atomic"

	"weir/internal/stream"
)

// ErrNoServer: nobody can answer the request now.
var ErrNoServer = errors.New("web: no server can answer this")

// ErrNotHere: no server would ever answer the request.
var ErrNotHere = errors.New("web: nothing is here")

// NoHTTPError: the server that has a stream serves nothing by HTTP, so nobody does.
type NoHTTPError struct{ Server string }

func (e *NoHTTPError) Error() string {
	return e.Server + " has the stream and no HTTP address: give it one in front.backends, or point players at RTMP"
}

// Request is what a server is wanted for.
type Request struct {
	// Names are the streams that the path may be of, the likeliest first; those of
	// segments follow from how servers call them. Empty: it is for no stream.
	Names []stream.Name
	// Media: the path ends as a stream's do, so the first of Names is meant even if
	// nobody is known to have it.
	Media bool
	// Publish: it brings a stream, which Names is, if its URL tells.
	Publish bool
	// Session is the server that has what is asked for, and nobody else; "": any may.
	Session string
	// Prefer is a server that the client had before; "" if none. It is chosen if it has the
	// stream, or nobody is known to, and it still answers those it had.
	Prefer  string
	Source  netip.Addr // the client's address
	Exclude []string   // servers that have just failed; not chosen
}

// Server is a chosen one.
type Server struct {
	Name string
	Addr string // host:port
	// Node marks one of the cluster's own, which serves streams and nothing else.
	Node bool
	Why  string // the decision in words
	// Done gives the reservation back; ok: the request was the first of many, lasts, or
	// has begun a session. It may be nil.
	Done func(ok bool)
}

// Servers are all that can answer. They are called from requests' goroutines and do
// not wait.
type Servers interface {
	// Choose fails with ErrNoServer, ErrNotHere or a *NoHTTPError.
	Choose(Request) (Server, error)
	// Open counts a request at a server until end is called.
	Open(name string) Entry
	// Failed and Succeeded are evidence of a server's health.
	Failed(name string, err error)
	Succeeded(name string)
}

// Entry is a request in a server's counters. In counts bytes from the client, Out
// those to it.
type Entry struct {
	In, Out *atomic.Int64
	End     func()
}
