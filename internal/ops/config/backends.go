package config

import (
	"cmp"
	"net"
	"reflect"
	"strings"
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

// Backend is a server with all that applies to it.
type Backend struct {
	Name, RTMP, HTTP, Zone        string
	Publish, Play, Shared         bool
	Kind                          BackendKind
	Weight                        float64
	MaxConnections, MaxPublishers int
	Egress                        Rate
	Announce                      Announce
	Check                         BackendCheck
	Load                          BackendLoad
}

// BackendCheck is a Backend's check.
type BackendCheck struct {
	Kind                      CheckKind
	Interval, Jitter, Timeout time.Duration
	Rise, Fall                int
	URL                       string
	Passive                   bool
}

// BackendLoad is where a Backend's load is read.
type BackendLoad struct {
	Kind     LoadKind
	URL      string
	Interval time.Duration
}

// builtin are the defaults below all others. Interval 2 s and fall 3 as HAProxy has: a dead
// server is noticed by sessions first. A server back from the dead is tried twice. Timeout 1 s: a frozen one is offered
// sessions until the last of its checks has waited that long.
func builtin() BackendSettings {
	return BackendSettings{
		Roles: []BackendRole{RolePublish, RolePlay}, Kind: new(KindOther), Weight: new(1.0), Announce: new(AnnounceNone),
		Check: CheckSettings{Kind: new(CheckRTMP), Interval: new(2 * time.Second), Jitter: new(200 * time.Millisecond),
			Timeout: new(time.Second), Rise: new(2), Fall: new(3), Passive: new(true)},
		Load: LoadSettings{Interval: new(5 * time.Second)},
	}
}

// loadOf is where the software of a kind says its load.
var loadOf = map[BackendKind]LoadKind{KindNginx: LoadNone, KindSRS: LoadSRS, KindMediaMTX: LoadMediaMTX}

// Backend is a server with all that applies to it: what it says itself, then what its sources say, the
// nearest first, then the defaults.
func (b *Backends) Backend(s Server, sources ...BackendSettings) Backend {
	set := s.BackendSettings
	for _, o := range sources {
		fill(reflect.ValueOf(&set).Elem(), reflect.ValueOf(o))
	}
	fill(reflect.ValueOf(&set).Elem(), reflect.ValueOf(b.Defaults))
	fill(reflect.ValueOf(&set).Elem(), reflect.ValueOf(builtin()))
	out := Backend{
		Name: cmp.Or(s.Name, s.RTMP, s.HTTP), RTMP: s.RTMP, HTTP: s.HTTP, Zone: value(set.Zone), Shared: value(set.Shared),
		Kind: value(set.Kind), Weight: value(set.Weight), Announce: value(set.Announce), Egress: value(set.Egress),
		MaxConnections: value(set.MaxConnections), MaxPublishers: value(set.MaxPublishers),
		Check: BackendCheck{Kind: value(set.Check.Kind), Interval: value(set.Check.Interval), Jitter: value(set.Check.Jitter),
			Timeout: value(set.Check.Timeout), Rise: value(set.Check.Rise), Fall: value(set.Check.Fall), Passive: value(set.Check.Passive)},
		Load: BackendLoad{Kind: value(set.Load.Kind), Interval: value(set.Load.Interval)},
	}
	for _, r := range set.Roles {
		out.Publish, out.Play = out.Publish || r == RolePublish, out.Play || r == RolePlay
	}
	if set.Load.Kind == nil {
		if out.Load.Kind = cmp.Or(loadOf[out.Kind], LoadNone); set.Load.URL != nil && out.Kind == KindNginx {
			out.Load.Kind = LoadNginx // it has no fixed place for its statistics, so saying where is asking for them
		}
	}
	host, _, _ := net.SplitHostPort(cmp.Or(s.RTMP, s.HTTP))
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	own := strings.NewReplacer("{host}", host, "{name}", out.Name)
	out.Check.URL, out.Load.URL = own.Replace(value(set.Check.URL)), own.Replace(value(set.Load.URL))
	return out
}

// fill gives every nil field of v what d has.
func fill(v, d reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			fill(f, d.Field(i))
		case reflect.Pointer, reflect.Slice:
			if f.IsNil() {
				f.Set(d.Field(i))
			}
		}
	}
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
