package config

import (
	"time"
)

// Limits holds the limits that an operator may change. Wire limits that guard
// the parser (chunk sizes, AMF depth, …) are constants of package rtmp; the
// table in [LimitTable] has them all.
type Limits struct {
	Handshake          time.Duration `yaml:"handshake"`
	Command            time.Duration `yaml:"command_wait"`
	FirstMedia         time.Duration `yaml:"first_media"`
	PublisherSilence   time.Duration `yaml:"publisher_silence"`
	WriteStall         time.Duration `yaml:"write_stall"`
	Message            Size          `yaml:"message"`
	ChunkStreams       int           `yaml:"chunk_streams"`
	NetStreams         int           `yaml:"net_streams"`
	GOPTime            time.Duration `yaml:"gop_time"`
	GOPBytes           Size          `yaml:"gop_bytes"`
	ViewerLag          time.Duration `yaml:"viewer_lag"`
	ConnectionsPerAddr int           `yaml:"connections_per_address"`
	NegativeTTL        time.Duration `yaml:"negative_ttl"`
	NegativeEntries    int           `yaml:"negative_entries"`
	RelayHops          int           `yaml:"relay_hops"`
}

// DefaultLimits returns the defaults of the table.
func DefaultLimits() Limits {
	return Limits{
		Handshake:          5 * time.Second,
		Command:            10 * time.Second,
		FirstMedia:         10 * time.Second,
		PublisherSilence:   5 * time.Second,
		WriteStall:         10 * time.Second,
		Message:            8 * MiB,
		ChunkStreams:       64,
		NetStreams:         8,
		GOPTime:            10 * time.Second,
		GOPBytes:           16 * MiB,
		ViewerLag:          2 * time.Second,
		ConnectionsPerAddr: 256,
		NegativeTTL:        2 * time.Second,
		NegativeEntries:    10_000,
		RelayHops:          3,
	}
}
