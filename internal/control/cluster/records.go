package cluster

import (
	"slices"
	"time"

	"weir/internal/stream"
)

// State is what a node is ready for.
type State string

const (
	StateUp       State = "up"
	StateDraining State = "draining" // takes nothing new
	StateDrained  State = "drained"  // and holds nothing
	StateLeaving  State = "leaving"  // its record goes next: it ends in good order
)

// Addresses are host:port pairs at which other nodes and clients reach a node; empty
// where it does not listen.
type Addresses struct {
	RTMP  string `json:"rtmp,omitempty"`
	HTTP  string `json:"http,omitempty"`
	Admin string `json:"admin,omitempty"`
	// Public is where clients reach it by RTMP, if that is elsewhere.
	Public string `json:"public,omitempty"`
}

// Capacity is what a node may carry; 0 means not limited (or not known).
type Capacity struct {
	EgressBPS  float64 `json:"egress_bps,omitempty"` // bits per second
	Sessions   int     `json:"sessions,omitempty"`
	Publishers int     `json:"publishers,omitempty"`
}

// NodeRecord is what a node says about itself, kept under its lease.
type NodeRecord struct {
	Name    string `json:"name"`
	Process string `json:"process"` // random, one a start: tells a restarted node from its predecessor
	// Started orders the processes of one name: above that of the predecessor found at
	// the first registration, and above the wall clock then, in ms. A store that comes back as an
	// older copy brings the records of predecessors back.
	Started   int64     `json:"started"`
	Roles     []string  `json:"roles"`
	State     State     `json:"state"`
	Addresses Addresses `json:"addresses"`
	Zone      string    `json:"zone,omitempty"`
	Capacity  Capacity  `json:"capacity"`
	Weight    float64   `json:"weight,omitempty"` // against others of 1; 0 is 1
	Version   string    `json:"version,omitempty"`
	// SecretMark tells whether two nodes have the same secret; see secretMark.
	SecretMark string `json:"secret_mark,omitempty"`
}

// HasRole reports whether the node has the role.
func (n *NodeRecord) HasRole(role string) bool {
	return slices.Contains(n.Roles, role)
}

// Load is what a node carries now.
type Load struct {
	Publishers    int     `json:"publishers"`
	Viewers       int     `json:"viewers"`
	Sessions      int     `json:"sessions"`
	Pulls         int     `json:"pulls"`
	EgressBPS     float64 `json:"egress_bps"`  // bits per second
	IngressBPS    float64 `json:"ingress_bps"` // bits per second
	CPU           float64 `json:"cpu"`         // share of the node's cores, 0 to 1
	JoinsInFlight int     `json:"joins_in_flight"`
}

// Placed is what one front has at one server that is no node: its sessions there, and those that it has
// decided upon and that have not begun.
type Placed struct {
	Sessions   int     `json:"s"`
	Publishers int     `json:"p,omitempty"`
	EgressBPS  float64 `json:"e,omitempty"` // bits per second that the server sends
	IngressBPS float64 `json:"i,omitempty"` // and gets
}

// Node is a member with its last reported load.
type Node struct {
	NodeRecord
	Load Load
	// LoadSeen is when this process heard of the load, by its own clock; zero if never.
	LoadSeen time.Time
	// Placed is what it has at servers that are no nodes, by name; see [Cluster.SharePlaced]. PlacedSeen is as LoadSeen.
	Placed     map[string]Placed
	PlacedSeen time.Time
	// Remembered: the store came back without the record; it is kept for a while because
	// the node is more probably about to register again than gone.
	Remembered bool
}

// Facts are the public facts of a stream, for listings and placement. No
// secrets: what is here is in the store in clear.
type Facts struct {
	Tracks     []Track `json:"tracks,omitempty"`
	BitrateBPS float64 `json:"bitrate_bps,omitempty"` // measured, bits per second
	Publisher  string  `json:"publisher,omitempty"`   // client's address
	Encoder    string  `json:"encoder,omitempty"`
	// Timeline identifies the publisher's clock: the same word at another node
	// is the same publisher, handed over. Random, and of no use to a stranger.
	Timeline string `json:"timeline,omitempty"`
	// Backend is the server that has the stream, where that is no node of the
	// cluster: its owner is the front that put it there and holds the claim. "" = the
	// owner itself has it.
	Backend string `json:"backend,omitempty"`
}

// Track describes one track of a stream.
type Track struct {
	Kind     string `json:"kind"`  // "video" or "audio"
	Codec    string `json:"codec"` // FourCC: avc1, hvc1, mp4a, …
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	Rate     int    `json:"rate,omitempty"` // audio samples per second
	Channels int    `json:"channels,omitempty"`
}

// StreamRecord is one stream as the cluster knows it.
type StreamRecord struct {
	Name  stream.Name
	Owner string // node name
	Epoch stream.Epoch
	Since time.Time // start of the publication by the owner's clock; for people
	Facts Facts
	// Remembered: as in Node.
	Remembered bool
}

// OwnerChange is what a [Subscription] delivers: the stream's state after a change.
type OwnerChange struct {
	Record  StreamRecord // Record.Name is always set
	Present bool         // false: nobody owns the stream any more
}
