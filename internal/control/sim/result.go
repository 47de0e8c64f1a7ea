package sim

import (
	"fmt"

	"weir/internal/control/place"
)

// Result is what came of a run.
type Result struct {
	Policy    place.Policy `json:"policy"`
	EventHash string       `json:"event_hash"` // over time, kind, viewer, stream and edge of each event
	Events    int64        `json:"events"`     // arrivals, departures and moves
	Arrivals  int64        `json:"arrivals"`

	// At the end.
	Viewers     int     `json:"viewers"`
	Edges       int     `json:"edges"` // alive
	Pulls       int     `json:"pulls"`
	FewestPulls int     `json:"fewest_pulls"` // of the audiences that there are, at (1+ε) of the mean an edge
	PullRatio   float64 `json:"pull_ratio"`   // of the two
	MaxOverMean float64 `json:"max_over_mean"`

	// Since the fleet was full.
	MeanPulls     float64  `json:"mean_pulls"`
	MeanPullRatio float64  `json:"mean_pull_ratio"`
	PeakPullRatio float64  `json:"peak_pull_ratio"`
	MeanMaxOver   float64  `json:"mean_max_over_mean"`
	PeakMaxOver   float64  `json:"peak_max_over_mean"`
	PeakShare     float64  `json:"peak_share"` // of its capacity, of the edge that came nearest to it, at any event
	Expected      float64  `json:"expected_pulls,omitempty"`
	NewPulls      int64    `json:"new_pulls"`
	OverCapacity  int64    `json:"over_capacity"`        // joins that an edge had beyond its capacity
	Refused       int64    `json:"refused"`              // joins that nobody took
	RefusedInVain int64    `json:"refused_in_vain"`      // while the fleet had 2 % of room
	Retried       int64    `json:"retried"`              // by the front, after an edge was full, dead or frozen
	Moved         int64    `json:"moved"`                // viewers placed again because their edge died
	MovedInVain   int64    `json:"moved_in_vain"`        // although it had not
	FlashStream   int      `json:"flash_stream"`         // -1 if there was none
	FlashPeak     int      `json:"flash_peak,omitempty"` // its largest audience
	FlashCarriers int      `json:"flash_carriers,omitempty"`
	JoinsInFlight int      `json:"peak_joins_in_flight"` // at one edge
	Samples       []Sample `json:"samples"`
}

// Sample is the fleet at one time.
type Sample struct {
	Seconds     float64 `json:"t"`
	Viewers     int     `json:"viewers"`
	Pulls       int     `json:"pulls"`
	PullRatio   float64 `json:"pull_ratio"`
	MaxOverMean float64 `json:"max_over_mean"`
	MeanShare   float64 `json:"mean_share"`
	Refused     int64   `json:"refused"`
	full        bool    // after the fill
}

// Progress is told now and then during a run.
type Progress struct {
	Policy place.Policy
	Done   float64 // part of the simulated time
	Events int64
	Sample Sample
}

func (p Progress) String() string {
	return fmt.Sprintf("%-17s %3.0f %%  %5.1f M events  %9d viewers  max/mean %.3f  pulls/fewest %.3f",
		p.Policy, 100*p.Done, float64(p.Events)/1e6, p.Sample.Viewers, p.Sample.MaxOverMean, p.Sample.PullRatio)
}
