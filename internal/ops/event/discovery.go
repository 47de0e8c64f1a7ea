package event

import (
	"fmt"
	"log/slog"
)

// Discovered: a source of servers that are no nodes has a new list, or works again.
type Discovered struct {
	Source         string // "static", "dns:NAME", "file:PATH", "http:URL", "srs"
	Servers        int    // in the list now
	Added, Removed int
	Again          bool // it had failed
}

// DiscoveryFailed: a source could not be asked or what it said is no list; the one before stays.
type DiscoveryFailed struct {
	Source string
	Kept   int // servers of the list that stays
	Times  int // failures since it was last mentioned, this one included
	Err    error
}

// BackendsRefused: servers of a source cannot be registered, the rest can.
type BackendsRefused struct {
	Source string
	Count  int
	Err    error // why the first of them
}

func (e Discovered) line() (slog.Level, string, []slog.Attr) {
	a := []slog.Attr{slog.String("from", e.Source), slog.Int("count", e.Servers), slog.String("why", fmt.Sprintf("%d came, %d went", e.Added, e.Removed))}
	if e.Again {
		return slog.LevelInfo, "discovery works again", a
	}
	return slog.LevelInfo, "discovered", a
}

func (e DiscoveryFailed) line() (slog.Level, string, []slog.Attr) {
	why := fmt.Sprintf("%d known servers stay", e.Kept)
	if e.Times > 1 {
		why += fmt.Sprintf("; %d times", e.Times)
	}
	return slog.LevelWarn, "discovery failed", appendErr([]slog.Attr{slog.String("from", e.Source), slog.String("why", why)}, e.Err)
}

func (e BackendsRefused) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelWarn, "backends refused", appendErr([]slog.Attr{slog.String("from", e.Source), slog.Int("count", e.Count)}, e.Err)
}
