package node

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"weir/internal/stream"
)

// yieldAfter is how long a publisher must have been silent before a newcomer
// may have its name: docs/design/take-over.md.
const yieldAfter = 2 * time.Second

// silence is an owner's answer about one of its streams.
type silence struct {
	Publishing bool          `json:"publishing"`
	Silent     time.Duration `json:"silent"` // since the last message
}

// yields reports whether that makes the owner give way, and why.
func (s silence) yields() (why string, ok bool) {
	switch {
	case !s.Publishing:
		return "the owner has no publisher", true
	case s.Silent >= yieldAfter:
		return fmt.Sprintf("its publisher has been silent for %v", s.Silent.Round(time.Millisecond)), true
	}
	return "", false
}

// live reports whether that is a stream on air.
func (s silence) live() bool { return s.Publishing && s.Silent < yieldAfter }

// askSilence asks a node about one of its streams, within ownerTimeout.
func (n *node) askSilence(ctx context.Context, addr string, name stream.Name) (silence, error) {
	return n.askAbout(ctx, addr, querySilence, name)
}

func (n *node) askAbout(ctx context.Context, addr, question string, name stream.Name) (s silence, err error) {
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	text, err := n.peers.Query(ctx, addr, question, name.String())
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	return s, err
}

// publishing is since when the publisher of a stream that this node owns has been silent, but
// for a newcomer at this origin, which may be who wants to know.
func (n *node) publishing(name stream.Name) (time.Duration, bool) {
	if p, ok := n.ingest.Lookup(name); ok {
		return p.Silence(), true
	}
	return n.front.Silence(name)
}

// silent is since when the publisher of a stream that this node owns has been silent, be it
// here or at a foreign server.
func (n *node) silent(name stream.Name) (time.Duration, bool) {
	if d, ok := n.ingest.Silence(name); ok {
		return d, true
	}
	return n.front.Silence(name)
}

// answerSilence is askSilence's other end.
func (n *node) answerSilence(name string) (string, error) {
	var s silence
	if parsed, err := stream.ParseName(name); err == nil {
		s.Silent, s.Publishing = n.silent(parsed)
	}
	b, err := json.Marshal(s)
	return string(b), err
}

// fedHere is since when nothing has come of a stream that this node pulls.
func (n *node) fedHere(name stream.Name) (s silence) {
	s.Silent, s.Publishing = n.pulls.Fed(name)
	return s
}

// answerFed is the same for what this node pulls.
func (n *node) answerFed(name string) (string, error) {
	var s silence
	if parsed, err := stream.ParseName(name); err == nil {
		s = n.fedHere(parsed)
	}
	b, err := json.Marshal(s)
	return string(b), err
}
