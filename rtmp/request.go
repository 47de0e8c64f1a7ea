package rtmp

import (
	"math"
	"strings"

	"weir/amf"
)

// PublishRequest is a client's publish (§7.2.2.6).
type PublishRequest struct {
	StreamID    uint32
	Name        string // without the query
	Query       string // "a=b&c=d", without the question mark
	Type        string // live, record, append; empty: live
	Transaction float64
	Args        []any // all arguments as received
}

// PlayRequest is a client's play or play2 (§7.2.2.1).
type PlayRequest struct {
	StreamID        uint32
	Name, Query     string
	Start, Duration float64 // seconds; -2, -1 and 0 have meanings of their own
	Reset           bool
	Transaction     float64
	Args            []any
}

func parsePublish(cmd *Command, name string) *PublishRequest {
	r := &PublishRequest{StreamID: cmd.StreamID, Transaction: cmd.Transaction, Args: cmd.Args}
	r.Name, r.Query, _ = strings.Cut(name, "?")
	r.Type, _ = cmd.String(1)
	return r
}

// parsePlay reads play and play2; ok is false if no stream is named. What else is
// missing or wrong has its default.
func parsePlay(cmd *Command) (r *PlayRequest, ok bool) {
	r = &PlayRequest{StreamID: cmd.StreamID, Start: -2, Duration: -1, Reset: true, Transaction: cmd.Transaction, Args: cmd.Args}
	name, ok := cmd.String(0)
	start, duration := cmd.Arg(1), cmd.Arg(2)
	if o, isObject := amf.Properties(cmd.Arg(0)); isObject && cmd.Name == "play2" {
		name = o.String("streamName")
		ok = name != ""
		start, duration = o.Get("start"), o.Get("len")
	}
	r.Name, r.Query, _ = strings.Cut(name, "?")
	r.Start, r.Duration = finite(start, r.Start), finite(duration, r.Duration)
	switch v := cmd.Arg(3).(type) {
	case bool:
		r.Reset = v
	case float64:
		r.Reset = v != 0
	}
	return r, ok
}

// finite is a value as a number that can be counted with, or the default.
func finite(v any, or float64) float64 {
	if n, ok := number(v); ok && !math.IsNaN(n) && !math.IsInf(n, 0) {
		return n
	}
	return or
}
