package house_test

import (
	"testing"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/config"
)

// The media wing has defaults of its own, for those who use it without a
// configuration; the table of limits states the same numbers.
func TestLimitsAreThoseOfThePackagesThatEnforceThem(t *testing.T) {
	l := config.DefaultLimits()
	for what, pair := range map[string][2]int64{
		"gop_time":    {int64(l.GOPTime), int64(live.DefaultRetainTime)},
		"gop_bytes":   {int64(l.GOPBytes), live.DefaultRetainBytes},
		"viewer_lag":  {int64(l.ViewerLag), int64(live.DefaultLagLimit)},
		"write_stall": {int64(l.WriteStall), int64(live.DefaultStallLimit)},
		"relay_hops":  {row(t, "hops from node to node"), relay.MaxHops},
		"headers":     {row(t, "headers of a stream"), live.MaxHeaderBytes},
		"control":     {row(t, "answers that wait for a viewer"), live.MaxControlBytes},
		"members":     {row(t, "NetStreams of a connection between nodes"), session.MemberStreams},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d in the table, %d in the package", what, pair[0], pair[1])
		}
	}
}

// row returns the default of the table's row of that name, in its base unit.
func row(t *testing.T, name string) int64 {
	t.Helper()
	for _, r := range config.LimitTable {
		if r.Name != name {
			continue
		}
		switch v := r.Default.(type) {
		case time.Duration:
			return int64(v)
		case config.Size:
			return int64(v)
		case config.Count:
			return int64(v.N)
		}
	}
	t.Errorf("the table has no row %q", name)
	return 0
}
