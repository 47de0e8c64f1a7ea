package config

import "time"

// PublishPolicy is how a publisher's server is chosen.
type PublishPolicy string

// ViewPolicy is how a viewer's server is chosen.
type ViewPolicy string

// The defaults; the others are in enums, and package place explains them.
const (
	PublishLeastLoad PublishPolicy = "least_load"
	ViewPullAware    ViewPolicy    = "pull_aware"
)

// Place is how servers are chosen for sessions.
type Place struct {
	Publishers PublishPolicy `yaml:"publishers"`
	Viewers    ViewPolicy    `yaml:"viewers"`
	// SlowStart is how long a server that has come up gets less than its share; 0: not at all.
	SlowStart time.Duration `yaml:"slow_start"`
	// Sticky is the grace in which a publisher goes back to the server it had; 0: none.
	Sticky time.Duration `yaml:"sticky"`
	// SourceSticky is how long an address goes to the server of its last session; 0: not at all.
	SourceSticky time.Duration `yaml:"source_sticky"`
}

// Capacity is what a node may carry; 0: not limited.
type Capacity struct {
	Egress     Rate `yaml:"egress"`
	Sessions   int  `yaml:"sessions"`
	Publishers int  `yaml:"publishers"`
}

func (k checker) place() {
	k.span("place.slow_start", k.Place.SlowStart, 0, time.Hour)
	k.span("place.sticky", k.Place.Sticky, 0, time.Hour)
	k.span("place.source_sticky", k.Place.SourceSticky, 0, 24*time.Hour)
	k.weight("node.weight", k.Node.Weight)
	k.notNegative("node.capacity.sessions", k.Node.Capacity.Sessions)
	k.notNegative("node.capacity.publishers", k.Node.Capacity.Publishers)
}
