package fleet

import (
	"time"

	"weir/internal/control/place"
)

// Backend describes a server that is no node of the cluster, as its operator or
// whoever announced it does. It is a value: comparing two says whether anything changed.
type Backend struct {
	Name string // unique among backends and nodes
	RTMP string // host:port
	HTTP string // host:port; "" if it serves none
	// Public is the RTMP address at which clients reach it; "" is RTMP.
	Public string
	Zone   string

	Publishes bool // takes publishers
	Serves    bool // serves viewers
	// Shared: it can play whatever the other shared ones have, since they pull from
	// each other. Others play what was published to them.
	Shared bool

	Weight   float64 // 0 is 1; see [place.Candidate]
	Capacity place.Capacity

	Kind     Kind
	Announce Announce
	Check    Check
	Load     LoadSource
}

// Kind is the software of a backend.
type Kind string

const (
	KindOther    Kind = "other"
	KindNginx    Kind = "nginx-rtmp"
	KindSRS      Kind = "srs"
	KindMediaMTX Kind = "mediamtx"
	KindAntMedia Kind = "antmedia"
)

// Announce is how a backend is told whose connection it gets; the words are those of
// package front.
type Announce string

const (
	AnnounceNot     Announce = ""
	AnnounceProxyV1 Announce = "proxy-v1"
	AnnounceProxyV2 Announce = "proxy-v2"
	AnnounceSRS     Announce = "srs"
)

// CheckKind is how a backend is asked whether it lives.
type CheckKind string

const (
	CheckNone CheckKind = "none"
	CheckTCP  CheckKind = "tcp"
	CheckRTMP CheckKind = "rtmp"
	CheckHTTP CheckKind = "http"
)

// Check says how a backend's health is found out.
type Check struct {
	Kind     CheckKind
	Interval time.Duration
	Jitter   time.Duration // up to so much is added to each interval
	Timeout  time.Duration
	Rise     int    // good checks in a row that make it up
	Fall     int    // failed ones that make it down
	URL      string // of an HTTP check
	Passive  bool   // failures of sessions count too
}

// LoadKind is where a backend's load is read.
type LoadKind string

const (
	LoadNone     LoadKind = "none" // what this node counts itself
	LoadNginx    LoadKind = "nginx"
	LoadSRS      LoadKind = "srs"
	LoadMediaMTX LoadKind = "mediamtx"
	// LoadRegistered: what the backend says when it registers. Nobody asks it.
	LoadRegistered LoadKind = "registration"
)

// LoadSource says where a backend's load is read, and how often.
type LoadSource struct {
	Kind     LoadKind
	URL      string
	Interval time.Duration
}

// Operator is what an operator wants of a backend, at run time.
type Operator string

const (
	Ready Operator = "ready"
	Drain Operator = "drain" // takes nothing new; what can move moves
	Maint Operator = "maint" // is not there at all
)

// HealthState is the outcome of checks.
type HealthState string

const (
	HealthUnknown HealthState = "" // not checked (yet): counts as up
	HealthUp      HealthState = "up"
	HealthDown    HealthState = "down"
)

// Health is what the checks of a backend say.
type Health struct {
	State  HealthState
	Reason string // in words, of the last check
	Since  time.Time
	// Of the last check, in HAProxy's words where it has one (L4OK, L4TOUT, L7STS, …).
	Status string
	Code   int
	Took   time.Duration
}

// BackendStatus is a backend with all that is known of it at one moment. It is a copy; but Counters are
// the live ones.
type BackendStatus struct {
	Backend
	// ID tells it from a later one of the same name; never 0.
	ID       uint64
	Source   string // the discovery that named it: "static", "dns:NAME", "file:PATH", …
	Added    time.Time
	Operator Operator
	// Weight of the description, or what was set at run time instead.
	Weight    float64
	WeightSet bool
	Health    Health
	Reported  bool // Load is the backend's own or another source's, not what is counted here
	Measured  place.Load
	LoadSeen  time.Time
	Own       place.Load // what this node's sessions there are; rates as of the last [Backends.Sample]
	Streams   int        // how many it is known to have; see [Backends.StreamsOf]
	Counters  *Counters
}

// State is what placement makes of it.
func (s *BackendStatus) State() place.State {
	switch {
	case s.Operator == Maint:
		return place.Maint
	case s.Health.State == HealthDown:
		return place.Down
	case s.Operator == Drain:
		return place.Drain
	}
	return place.Up
}
