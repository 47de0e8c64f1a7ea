package event

import (
	"log/slog"
	"time"

	"weir/internal/stream"
)

// Claimed: this node owns the stream under Epoch. Epoch zero: unconfirmed, taken
// while the store was away. Confirms: so was this one until now.
type Claimed struct {
	Name     stream.Name
	Epoch    stream.Epoch
	Confirms bool
}

// ClaimRefused: somebody else owns the stream.
type ClaimRefused struct {
	Name   stream.Name
	Owner  string // node name, if known
	Epoch  stream.Epoch
	Reason Reason
	Err    error
}

// TakeOver: this node tries to take the stream over from its owner. Why is the
// evidence that the owner has to give way, in words.
type TakeOver struct {
	Name  stream.Name
	From  string // node name
	Epoch stream.Epoch
	Why   string
}

// OwnershipLost: this node owned the stream and does not any more, not by its
// own will, unless its publisher was handed over to another node.
type OwnershipLost struct {
	Name   stream.Name
	Epoch  stream.Epoch
	By     string       // the new owner, if known
	Higher stream.Epoch // the epoch that won, if known
	Reason Reason
}

// Released: this node gave the stream back.
type Released struct {
	Name   stream.Name
	Epoch  stream.Epoch
	Reason Reason
}

// NodeUp: another node joined the fleet as seen from here.
type NodeUp struct {
	Name  string
	Roles []string
	State string
}

// NodeDown: a node's record is gone.
type NodeDown struct {
	Name   string
	Reason Reason
}

// StoreLost: the store does not answer; what runs goes on (P2).
type StoreLost struct{ Err error }

// StoreBack: the store answers again, after Dur.
type StoreBack struct{ Dur time.Duration }

func (e Claimed) line() (slog.Level, string, []slog.Attr) {
	msg := "claimed"
	switch {
	case e.Epoch.IsZero():
		msg = "claimed, unconfirmed"
	case e.Confirms:
		msg = "claim confirmed"
	}
	return slog.LevelInfo, msg, append(nameAttrs(e.Name), slog.String("epoch", e.Epoch.String()))
}

func (e ClaimRefused) line() (slog.Level, string, []slog.Attr) {
	a := appendText(nameAttrs(e.Name), "owner", e.Owner)
	a = append(a, slog.String("epoch", e.Epoch.String()), slog.String("reason", string(e.Reason)))
	return slog.LevelInfo, "claim refused", appendErr(a, e.Err)
}

func (e TakeOver) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "taking over", append(nameAttrs(e.Name),
		slog.String("from", e.From), slog.String("epoch", e.Epoch.String()), slog.String("why", e.Why))
}

func (e OwnershipLost) line() (slog.Level, string, []slog.Attr) {
	a := append(nameAttrs(e.Name), slog.String("epoch", e.Epoch.String()))
	a = appendText(a, "by", e.By)
	level, msg := slog.LevelWarn, "ownership lost"
	if e.Reason == HandedOver {
		level, msg = slog.LevelInfo, "ownership handed over"
	}
	return level, msg, append(a,
		slog.String("higher", e.Higher.String()), slog.String("reason", string(e.Reason)))
}

func (e Released) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "released", append(nameAttrs(e.Name),
		slog.String("epoch", e.Epoch.String()), slog.String("reason", string(e.Reason)))
}

func (e NodeUp) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "node up", []slog.Attr{
		slog.String("peer", e.Name), slog.Any("roles", e.Roles), slog.String("state", e.State)}
}

func (e NodeDown) line() (slog.Level, string, []slog.Attr) {
	level := slog.LevelWarn
	if e.Reason == NodeLeft {
		level = slog.LevelInfo // somebody ended it
	}
	return level, "node down", []slog.Attr{
		slog.String("peer", e.Name), slog.String("reason", string(e.Reason))}
}

func (e StoreLost) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelWarn, "store lost", appendErr(nil, e.Err)
}

func (e StoreBack) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "store back", []slog.Attr{slog.Duration("dur", e.Dur)}
}
