package config

import (
	"cmp"
	"net"
	"reflect"
	"strings"
	"time"
)

// Backend is a server with all that applies to it.
type Backend struct {
	Name, RTMP, HTTP, Zone        string
	Public                        string // RTMP, as clients reach it; "" is RTMP
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
	own := ownOf(host, out.Name)
	out.Check.URL, out.Load.URL = own.Replace(value(set.Check.URL)), own.Replace(value(set.Load.URL))
	out.Public = own.Replace(value(set.Public))
	return out
}

// ownOf puts a server's own host and name for {host} and {name}. host is as addresses and URLs have it, of IPv6 in
// brackets; who has written these himself means the same.
func ownOf(host, name string) *strings.Replacer {
	return strings.NewReplacer("[{host}]", host, "{host}", host, "{name}", name)
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
