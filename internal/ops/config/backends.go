package config

import (
	"time"

	"weir/internal/ops/secret"
)

// Backends are servers that are no nodes of the cluster, and where to learn of them.
type Backends struct {
	// Defaults are those of every backend, wherever it comes from.
	Defaults BackendSettings `yaml:"defaults"`
	Servers  []Server        `yaml:"servers"`
	DNS      []DNSBackends   `yaml:"dns"`
	// File are lists of servers in files, which are watched.
	File []string       `yaml:"file"`
	HTTP []HTTPBackends `yaml:"http"`
	SRS  SRSBackends    `yaml:"srs"`
}

// Any reports whether there is a source of backends.
func (b *Backends) Any() bool {
	return len(b.Servers)+len(b.DNS)+len(b.File)+len(b.HTTP) > 0 || b.SRS.Listen != ""
}

// Server is one backend. Name is its RTMP address, or else its HTTP one, if empty.
type Server struct {
	Name string `yaml:"name"`
	RTMP string `yaml:"rtmp"` // HOST:PORT
	HTTP string `yaml:"http"` // HOST:PORT

	BackendSettings `yaml:",inline"`
}

// DNSBackends are the servers that a name resolves to.
type DNSBackends struct {
	Name     string  `yaml:"name"`
	Type     DNSType `yaml:"type"` // default A
	Port     int     `yaml:"port"` // of A and AAAA
	HTTPPort int     `yaml:"http_port"`
	// Resolver is HOST:PORT; default: the system's.
	Resolver string `yaml:"resolver"`

	BackendSettings `yaml:",inline"`
}

// DNSType is a type of DNS record.
type DNSType string

const (
	DNSA    DNSType = "A"
	DNSAAAA DNSType = "AAAA"
	DNSSRV  DNSType = "SRV"
)

// HTTPBackends is a list of servers at a URL, which is polled.
type HTTPBackends struct {
	URL      string        `yaml:"url"`
	Interval time.Duration `yaml:"interval"` // default 10s
	Token    secret.String `yaml:"token"`

	BackendSettings `yaml:",inline"`
}

// SRSBackends are the servers that register themselves as they would with srs-proxy.
type SRSBackends struct {
	Listen string        `yaml:"listen"` // empty: off
	Token  secret.String `yaml:"token"`
	// Trust are the networks that may register; empty: all, if there is a token.
	Trust []string `yaml:"trust"`
	// Expire is how long a server is believed in that does not call again; default 30s.
	Expire time.Duration `yaml:"expire"`

	BackendSettings `yaml:",inline"`
}

// BackendRole is what a backend is for.
type BackendRole string

const (
	RolePublish BackendRole = "publish"
	RolePlay    BackendRole = "play"
)

// BackendKind is the software of a backend.
type BackendKind string

// Announce is how a backend is told whose connection it gets.
type Announce string

// CheckKind is how a backend's health is found out, LoadKind where its load is read.
type (
	CheckKind string
	LoadKind  string
)

const (
	KindNginx    BackendKind = "nginx-rtmp"
	KindSRS      BackendKind = "srs"
	KindMediaMTX BackendKind = "mediamtx"
	KindAntMedia BackendKind = "antmedia"
	KindOther    BackendKind = "other"

	AnnounceNone    Announce = "none"
	AnnounceProxyV1 Announce = "proxy-v1"
	AnnounceProxyV2 Announce = "proxy-v2"
	AnnounceSRS     Announce = "srs"

	CheckTCP  CheckKind = "tcp"
	CheckRTMP CheckKind = "rtmp"
	CheckHTTP CheckKind = "http"
	CheckNone CheckKind = "none"

	LoadNone     LoadKind = "none"
	LoadNginx    LoadKind = "nginx"
	LoadSRS      LoadKind = "srs"
	LoadMediaMTX LoadKind = "mediamtx"
)

// BackendSettings are what can be said of one backend, of a source's, or of all; nil: as there.
type BackendSettings struct {
	Zone           *string       `yaml:"zone"`
	Roles          []BackendRole `yaml:"roles"` // default both
	Kind           *BackendKind  `yaml:"kind"`
	Weight         *float64      `yaml:"weight"`
	MaxConnections *int          `yaml:"max_connections"`
	MaxPublishers  *int          `yaml:"max_publishers"`
	Egress         *Rate         `yaml:"egress"`
	Announce       *Announce     `yaml:"announce"`
	// Public is HOST:PORT at which clients reach the server by RTMP, for redirections; {host} and {name}
	// stand for the server's. Default: what the front dials.
	Public *string `yaml:"public"`
	// Shared: the shared ones pull from each other, so each can play what any has.
	Shared *bool         `yaml:"shared"`
	Check  CheckSettings `yaml:"check"`
	Load   LoadSettings  `yaml:"load"`
}

// CheckSettings say how health is found out.
type CheckSettings struct {
	Kind     *CheckKind     `yaml:"kind"`
	Interval *time.Duration `yaml:"interval"`
	Jitter   *time.Duration `yaml:"jitter"`
	Timeout  *time.Duration `yaml:"timeout"`
	Rise     *int           `yaml:"rise"`
	Fall     *int           `yaml:"fall"`
	// URL of an HTTP check; {host} and {name} stand for the server's.
	URL     *string `yaml:"url"`
	Passive *bool   `yaml:"passive"`
}

// LoadSettings say where load is read. Kind is by default what the backend's kind has.
type LoadSettings struct {
	Kind     *LoadKind      `yaml:"kind"`
	URL      *string        `yaml:"url"`
	Interval *time.Duration `yaml:"interval"`
}
