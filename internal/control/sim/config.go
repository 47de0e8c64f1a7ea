package sim

import (
	"fmt"
	"time"

	"weir/internal/control/place"
)

// Reservations says who knows of a decision before the edge's next report.
type Reservations string

const (
	Shared Reservations = "shared" // all fronts, at once
	Told   Reservations = "told"   // the front that made it, and a moment later the others
	Own    Reservations = "own"    // the front that made it
	Owner  Reservations = "owner"  // as own, but all of a stream's viewers are decided by one front
	Off    Reservations = "none"   // nobody
)

// Config is one run. Times are the simulated world's.
type Config struct {
	Policy  place.Policy  `json:"policy"`
	Viewers int           `json:"viewers"` // expected, once filled
	Streams int           `json:"streams"`
	Edges   int           `json:"edges"`
	Zipf    float64       `json:"zipf"`    // exponent of the audiences
	Session time.Duration `json:"session"` // mean, exponential
	Churn   float64       `json:"churn"`   // length of the run after the fill, in sessions
	Use     float64       `json:"use"`     // mean part of the edges' capacity that the viewers take
	// BitrateBPS of all streams, bits per second; or their mean if BitrateSpread, the σ of a
	// log-normal distribution, is not 0.
	BitrateBPS    float64 `json:"bitrate_bps"`
	BitrateSpread float64 `json:"bitrate_spread"`
	Uneven        bool    `json:"uneven"` // capacities of 1, 2 and 4 in turn

	Fronts       int           `json:"fronts"`
	Reservations Reservations  `json:"reservations"`
	ReportEvery  time.Duration `json:"report_every"` // 0: loads are known at once, and there is one front
	ReportDelay  time.Duration `json:"report_delay"`
	ReportLoss   float64       `json:"report_loss"` // part of reports
	PullDelay    time.Duration `json:"pull_delay"`  // until other fronts know of a pull

	// Faults, in the middle of the churn; 0 is none.
	Flash  float64 `json:"flash"`  // one stream's audience times this, within FlashTime
	Lose   int     `json:"lose"`   // edges that die
	Freeze int     `json:"freeze"` // edges that answer nothing for FreezeTime
	Add    int     `json:"add"`    // edges more

	Seed uint64 `json:"seed"`
}

const (
	// tick is the resolution of time. Why not smaller: the wheel has a slot each. Why not larger: a
	// front's view would be older than it says.
	tick = 10 * time.Millisecond
	// horizon is the longest session, in mean ones: one in nine million is cut short.
	horizon = 16
	// fillTime is how long the fleet fills, in sessions.
	fillTime = 0.25
	// FlashTime is how long a flash crowd takes to arrive.
	FlashTime = time.Minute
	// FreezeTime is how long a frozen edge is.
	FreezeTime = time.Minute
	// joinTime is how long a join is in flight: the burst of the GOP cache.
	joinTime = time.Second
	// dialTimeout is what a frozen edge costs a viewer.
	dialTimeout = 3 * time.Second
	// rejoinTime over which the viewers of a dead edge come back.
	rejoinTime = 2 * time.Second
	// tellEvery is how often fronts tell each other what they have decided, as they do of servers that are no nodes.
	tellEvery = 200 * time.Millisecond
	// tries of a front for one viewer. A refusal takes a round trip; ten are within any client's patience.
	tries = 10
	// room is the part of the fleet's capacity from which on it has room. Why not 0: in a full fleet somebody
	// leaves at every moment, and no front knows.
	room = 0.02
	// samples of a run, for the plot.
	samples = 240
)

// Default is a fleet that takes a few seconds.
func Default() Config {
	return Config{
		Policy: place.PullAware, Viewers: 400_000, Streams: 8_000, Edges: 199, Zipf: 1, Session: 30 * time.Minute, Churn: 2, Use: 0.8,
		BitrateBPS: place.DefaultBitrateBPS, Fronts: 1, Reservations: Own, PullDelay: 200 * time.Millisecond, Seed: 1,
	}
}

// ConfigError is a value that cannot be simulated.
type ConfigError struct{ Field, Problem string }

func (e *ConfigError) Error() string { return e.Field + ": " + e.Problem }

func (c *Config) check() error {
	within := func(field string, v, least, most float64) error {
		if v >= least && v <= most {
			return nil
		}
		return &ConfigError{field, fmt.Sprintf("%v is not within %v to %v", v, least, most)}
	}
	for _, err := range []error{
		within("viewers", float64(c.Viewers), 1, 20e6),
		within("streams", float64(c.Streams), 1, 1e6),
		within("edges", float64(c.Edges), 1, 10_000),
		within("streams × edges", float64(c.Streams)*float64(c.Edges+c.Add), 1, 400e6), // counted, 4 bytes each
		within("zipf", c.Zipf, 0, 4),
		within("session seconds", c.Session.Seconds(), 10, 86_400),
		within("churn", c.Churn, 0, 100),
		within("use", c.Use, 0.001, 10),
		within("bitrate", c.BitrateBPS, 1e3, 1e9),
		within("bitrate spread", c.BitrateSpread, 0, 2),
		within("fronts", float64(c.Fronts), 1, 200),
		within("report interval, seconds", c.ReportEvery.Seconds(), 0, 3600),
		within("report delay, seconds", c.ReportDelay.Seconds(), 0, 3600),
		within("report loss", c.ReportLoss, 0, 1),
		within("pull delay, seconds", c.PullDelay.Seconds(), 0, 3600),
		within("flash", c.Flash, 0, 10_000),
		within("edges lost and frozen", float64(c.Lose+c.Freeze), 0, float64(c.Edges-1)),
		within("edges added", float64(c.Add), 0, 10_000),
	} {
		if err != nil {
			return err
		}
	}
	switch c.Reservations {
	case Shared, Told, Own, Owner, Off:
	default:
		return &ConfigError{"reservations", fmt.Sprintf("%q is not shared, told, own, owner or none", c.Reservations)}
	}
	if c.ReportEvery == 0 && c.Fronts > 1 {
		return &ConfigError{"fronts", "several fronts need reports: loads cannot be known to all at once"}
	}
	if c.ReportEvery > 0 && c.ReportEvery < tick {
		return &ConfigError{"report interval", "shorter than a tick of 10 ms"}
	}
	return nil
}

// Memory is about what a run takes, in bytes: pairs, viewers, the wheel, and what the collector leaves lying.
func (c *Config) Memory() int64 {
	live := 4*int64(c.Streams)*int64(c.Edges+c.Add) + 16*int64(c.Viewers) + 4*horizon*int64(c.Session/tick) + 400*int64(c.Streams)
	return 2*live + 32<<20
}
