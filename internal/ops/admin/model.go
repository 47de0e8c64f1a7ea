package admin

import (
	"context"
	"time"

	"weir/internal/stream"
)

// Fleet is what this listener asks of the node. Answers cover the whole cluster.
// They wait for no store, and for other nodes only as long as ctx and the
// implementation's own bound allow; what did not arrive in time is left out.
// Slices may be in any order; the listener sorts them.
type Fleet interface {
	Nodes(ctx context.Context) ([]Node, error)
	Streams(ctx context.Context) ([]Stream, error)
	// StoreAway is since when the node has not heard from the store, so that the answers may be as old; zero: it hears from it.
	StoreAway() time.Time
	// Drain makes a node hand over what it has and take nothing new; window is the
	// time over which its viewers go. It returns when the node has begun: its state
	// tells the rest. Undrain makes it take sessions again.
	Drain(ctx context.Context, node string, window time.Duration) error
	Undrain(ctx context.Context, node string) error
	// Route says where a session would be placed now, and why.
	Route(RouteQuery) Route
	// Ready reports whether this node should get sessions, and what is wrong: why it should not, or
	// what it manages without.
	Ready() (bool, []Problem)
}

// Age is in every answer that comes from the watched view of the cluster.
type Age struct {
	// StoreAway is since when the store has not answered the node that answers, by that one's clock; absent: it answers. What other
	// nodes wrote since is not in the answer.
	StoreAway time.Time `json:"store_away_since,omitzero"`
}

// Node is one node of the cluster as the API shows it.
type Node struct {
	Name      string    `json:"name"`
	Roles     []string  `json:"roles"`
	State     string    `json:"state"` // up, draining, drained
	Addresses Addresses `json:"addresses"`
	Load      Load      `json:"load"`
	Capacity  Capacity  `json:"capacity"`
	Zone      string    `json:"zone,omitempty"`
	Version   string    `json:"version,omitempty"`
	Self      bool      `json:"self,omitempty"` // the node that answers
}

// Addresses are HOST:PORT, empty where the node has no such listener.
type Addresses struct {
	RTMP  string `json:"rtmp,omitempty"`
	RTMPS string `json:"rtmps,omitempty"`
	HTTP  string `json:"http,omitempty"`
	Admin string `json:"admin,omitempty"`
	// Public is where clients are sent to by a redirection of RTMP, if not to RTMP.
	Public string `json:"public,omitempty"`
}

// Load is a node's last report of itself.
type Load struct {
	Publishers int     `json:"publishers"`
	Viewers    int     `json:"viewers"`
	Sessions   int     `json:"sessions"`
	Pulls      int     `json:"pulls"`
	Egress     float64 `json:"egress"`  // bits per second
	Ingress    float64 `json:"ingress"` // bits per second
	CPU        float64 `json:"cpu"`     // share of all cores, 0 to 1
}

// Capacity is what a node can take; zero: not known.
type Capacity struct {
	Egress     float64 `json:"egress,omitempty"` // bits per second
	Sessions   int     `json:"sessions,omitempty"`
	Publishers int     `json:"publishers,omitempty"`
}

// Stream is one live stream of the cluster as the API shows it.
type Stream struct {
	App       string       `json:"app"`
	Name      string       `json:"name"`
	Owner     string       `json:"owner"`             // node name
	Backend   string       `json:"backend,omitempty"` // the server that has it, where that is no node: its owner is the front that put it there
	Epoch     stream.Epoch `json:"epoch"`
	Edges     []string     `json:"edges"`     // names of the nodes that pull it
	Viewers   int          `json:"viewers"`   // in the whole cluster
	Publisher *Publisher   `json:"publisher"` // null while its publisher is away
	Tracks    []Track      `json:"tracks"`
	Bitrate   int64        `json:"bitrate"` // bits per second
	Since     time.Time    `json:"since"`   // start of this ownership
}

// Publisher is who brings a stream.
type Publisher struct {
	Remote  string `json:"remote,omitempty"`
	Encoder string `json:"encoder,omitempty"` // what it says of itself
}

// Track is one track of a stream.
type Track struct {
	Kind  string `json:"kind"`  // video, audio, data
	Codec string `json:"codec"` // FourCC: avc1, hvc1, mp4a, Opus, …
	ID    int    `json:"id"`    // 0 but for multitrack streams
	// As far as the stream says.
	Width    int `json:"width,omitempty"`
	Height   int `json:"height,omitempty"`
	Rate     int `json:"rate,omitempty"` // audio samples per second
	Channels int `json:"channels,omitempty"`
}

// Problem is one reason for not being ready.
type Problem struct {
	Part   string `json:"part"` // store, rtmp listener, …
	Reason string `json:"reason"`
}
