//go:build !linux

package splice

import "time"

// Joiner exists on Linux only.
type Joiner struct{}

// Session is two joined connections.
type Session struct{}

// Stats are a Joiner's figures of the moment.
type Stats struct{ Sessions, Pipes, InLane int }

// New returns a Joiner that refuses.
func New(Options) *Joiner { return &Joiner{} }

// Join closes both connections and fails.
func (*Joiner) Join(p Pair) (*Session, error) {
	p.Client.Close()
	p.Server.Close()
	return nil, ErrRefused
}

func (*Joiner) Close()       {}
func (*Joiner) Stats() Stats { return Stats{} }

// Bytes are what each end has taken so far.
func (*Session) Bytes() (toClient, toServer int64) { return 0, 0 }

// ClientSilence is for how long the client has said nothing.
func (*Session) ClientSilence() time.Duration { return 0 }

// ServerSilence is for how long the server has said nothing.
func (*Session) ServerSilence() time.Duration { return 0 }

// End ends the session from outside.
func (*Session) End() {}
