package config

import (
	"log/slog"
	"time"

	"weir/internal/ops/secret"
)

// Config is one node's configuration. Every field has its default already when
// [Load] returns; consumers check nothing.
type Config struct {
	Node    Node           `yaml:"node"`
	RTMP    RTMP           `yaml:"rtmp"`
	HTTP    HTTP           `yaml:"http"`
	Admin   Admin          `yaml:"admin"`
	Store   Store          `yaml:"store"`
	Limits  Limits         `yaml:"limits"`
	Front   Front          `yaml:"front"`
	Place   Place          `yaml:"place"`
	Play    Play           `yaml:"play"`
	Publish Publish        `yaml:"publish"`
	Apps    map[string]App `yaml:"apps"`
}

// Node says who this node is.
type Node struct {
	// Name is unique in the cluster; default: the host's name.
	Name string `yaml:"name"`
	// Roles: one or more of front, origin, edge; default all three, or front alone if
	// there are front.backends.
	Roles []Role `yaml:"roles"`
	// Advertise is the host name or address that other nodes and clients reach
	// this node by, without a port; default: the address of the default route.
	Advertise string `yaml:"advertise"`
	// Public is HOST or HOST:PORT at which clients reach this node by RTMP, for redirections; default:
	// as advertised, and the listener's own port.
	Public string `yaml:"public"`
	// DrainTimeout is how long a node that is told to stop may hand over what it
	// has before the rest is cut; zero: it cuts at once.
	DrainTimeout time.Duration `yaml:"drain_timeout"`
	// Zone is a label for where the node is; free text.
	Zone string `yaml:"zone"`
	// Capacity is what the node may carry.
	Capacity Capacity `yaml:"capacity"`
	// Weight scales what the node gets, against others of 1.
	Weight float64 `yaml:"weight"`
	// LogLevel is debug, info, warn or error.
	LogLevel slog.Level `yaml:"log_level"`
	// LogFormat is text or json.
	LogFormat LogFormat `yaml:"log_format"`
}

// Role is what a node does.
type Role string

const (
	RoleFront  Role = "front"  // places each session on a server
	RoleOrigin Role = "origin" // takes publishers, owns streams
	RoleEdge   Role = "edge"   // serves viewers, pulls streams
)

// Has reports whether the node has role r.
func (n Node) Has(r Role) bool {
	for _, x := range n.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// LogFormat is the form of log lines.
type LogFormat string

const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// RTMP is the listener for publishers, viewers and other nodes.
type RTMP struct {
	// Listen is HOST:PORT; port 0 picks a free one.
	Listen string  `yaml:"listen"`
	TLS    RTMPTLS `yaml:"tls"`
	// ProxyProtocol is for both listeners.
	ProxyProtocol ProxyProtocol `yaml:"proxy_protocol"`
}

// RTMPTLS is the RTMPS listener; it is off while Listen is empty.
type RTMPTLS struct {
	Listen string `yaml:"listen"`
	Cert   string `yaml:"cert"` // PEM file, the chain included
	Key    string `yaml:"key"`  // PEM file
}

// Admin is the listener for health, metrics and the API.
type Admin struct {
	Listen string        `yaml:"listen"`
	Token  secret.String `yaml:"token"` // bearer token; required off the loopback
	// Agent is where HAProxy's agent checks are answered, HOST:PORT; empty: nowhere.
	Agent string `yaml:"agent"`
}

// StoreKind says where the cluster's records are.
type StoreKind string

const (
	StoreMemory   StoreKind = "memory"   // in this process: one node
	StoreEmbedded StoreKind = "embedded" // this node runs an etcd member
	StoreEtcd     StoreKind = "etcd"     // an existing etcd cluster, or other nodes' embedded one
)

// Store is where the cluster's records are.
type Store struct {
	Kind StoreKind `yaml:"kind"`
	// Listen is the embedded member's client address, HOST:PORT.
	Listen string `yaml:"listen"`
	// Endpoints are etcd's client addresses, HOST:PORT or URLs.
	Endpoints []string `yaml:"endpoints"`
	// Dir holds the embedded member's data.
	Dir string `yaml:"dir"`
	// Peers are all embedded members, this one included, each NAME=HOST:PORT
	// with the node's name and the address for the members' own traffic. Empty:
	// a single member.
	Peers []string `yaml:"peers"`
	TLS   StoreTLS `yaml:"tls"`
	// User and Password authenticate this node to an external etcd.
	User     string        `yaml:"user"`
	Password secret.String `yaml:"password"`
	// Secret proves membership between nodes; all nodes have the same. Empty:
	// made at the first start and kept in the store.
	Secret secret.String `yaml:"secret"`
}

// StoreTLS is for the connections to the store. CA alone checks the server; Cert
// and Key also show who this node is.
type StoreTLS struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// FrontMode is how a front joins a client and a server.
type FrontMode string

// ModeCarry ends the client's session at the front and forwards messages.
const ModeCarry FrontMode = "carry"

// Front is the balancer.
type Front struct {
	Mode     FrontMode `yaml:"mode"`
	Backends Backends  `yaml:"backends"`
	// Publish and Play are how sessions at servers that are no nodes are joined: carry
	// or splice; auto, of plays, is splice there and carry to nodes. Nodes are always
	// carried to.
	Publish Way `yaml:"publish"`
	Play    Way `yaml:"play"`
	// Redirect are the families of RTMP clients that are sent to the server itself for
	// plays: srs, flash, flashver:PREFIX.
	Redirect []string `yaml:"redirect"`
	// SpliceLatency bounds how long what a server sends in many small packets waits here
	// for more, in spliced sessions. 0: it does not.
	SpliceLatency time.Duration `yaml:"splice_latency"`
	HTTP          FrontHTTP     `yaml:"http"`
}

// Play is what viewers get.
type Play struct {
	// Wait holds a viewer of a stream that is not there for so long; zero: it is
	// told at once.
	Wait time.Duration `yaml:"wait"`
	// Grace keeps an edge's pull for so long after its last viewer left.
	Grace time.Duration `yaml:"grace"`
	// MaxLatency bounds how long a busy node holds a viewer's bytes back to send
	// them together.
	MaxLatency time.Duration `yaml:"max_latency"`
	// LowLatency sends every message as it comes, at a higher cost.
	LowLatency bool `yaml:"low_latency"`
}

// Publish is what publishers get.
type Publish struct {
	// Grace keeps a stream's viewers and timeline for so long after its
	// publisher left, for it to come back.
	Grace time.Duration `yaml:"grace"`
	// Duplicate says what becomes of a second publisher of a key. It is to be the
	// same on all nodes. Whatever it is, an owner that has been silent for 2 s
	// yields.
	Duplicate Duplicate `yaml:"duplicate"`
}

// Duplicate is the policy for a second publisher of a key.
type Duplicate string

const (
	DuplicateReject   Duplicate = "reject"   // the second is told NetStream.Publish.BadName
	DuplicateTakeover Duplicate = "takeover" // the newcomer wins, the first is told so and closed
)

// App holds what differs from the default for one application. Nil: as
// everywhere.
type App struct {
	Play    AppPlay    `yaml:"play"`
	Publish AppPublish `yaml:"publish"`
}

// AppPlay overrides [Play].
type AppPlay struct {
	Wait       *time.Duration `yaml:"wait"`
	Grace      *time.Duration `yaml:"grace"`
	MaxLatency *time.Duration `yaml:"max_latency"`
	LowLatency *bool          `yaml:"low_latency"`
}

// AppPublish overrides [Publish].
type AppPublish struct {
	Grace *time.Duration `yaml:"grace"`
}

// PlayFor returns the settings for viewers of app.
func (c *Config) PlayFor(app string) Play {
	p := c.Play
	if a, ok := c.Apps[app]; ok {
		if a.Play.Wait != nil {
			p.Wait = *a.Play.Wait
		}
		if a.Play.Grace != nil {
			p.Grace = *a.Play.Grace
		}
		if a.Play.MaxLatency != nil {
			p.MaxLatency = *a.Play.MaxLatency
		}
		if a.Play.LowLatency != nil {
			p.LowLatency = *a.Play.LowLatency
		}
	}
	return p
}

// PublishFor returns the settings for publishers of app.
func (c *Config) PublishFor(app string) Publish {
	p := c.Publish
	if a, ok := c.Apps[app]; ok && a.Publish.Grace != nil {
		p.Grace = *a.Publish.Grace
	}
	return p
}
