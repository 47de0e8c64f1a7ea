package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const fleetFile = `front:
  backends:
    defaults: {weight: 2, kind: nginx-rtmp, max_connections: 100, check: {interval: 1s, url: "http://{host}/{name}"}}
    servers:
      - {name: edge1, rtmp: "10.0.1.1:1935", http: "10.0.1.1:8080", zone: a, roles: play, egress: 2.5Gbps}
      - {rtmp: "[::1]:1936", weight: 0.5, check: {kind: http}, load: {url: "http://{host}:8080/stat"}}
    dns:
      - {name: media.example.com, port: 1935, kind: srs}
    srs: {listen: "127.0.0.1:0", max_publishers: 1}
place: {publishers: weighted, sticky: 5s}
node: {capacity: {egress: 10Gbps, sessions: 20000}, weight: 3}
`

func TestBackendsAreLayers(t *testing.T) {
	c, err := Parse("w.yaml", []byte(fleetFile))
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Front.Backends
	one, two := b.Backend(b.Servers[0]), b.Backend(b.Servers[1])
	want := Backend{Name: "edge1", RTMP: "10.0.1.1:1935", HTTP: "10.0.1.1:8080", Zone: "a", Play: true, Kind: KindNginx, Weight: 2,
		MaxConnections: 100, Egress: 2.5e9, Announce: AnnounceNone,
		Check: BackendCheck{Kind: CheckRTMP, Interval: time.Second, Jitter: 200 * time.Millisecond, Timeout: time.Second, Rise: 2, Fall: 3,
			URL: "http://10.0.1.1/edge1", Passive: true},
		Load: BackendLoad{Kind: LoadNone, Interval: 5 * time.Second}}
	if one != want {
		t.Errorf("got  %+v\nwant %+v", one, want)
	}
	if two.Name != "[::1]:1936" || two.Weight != 0.5 || !two.Publish || !two.Play || two.Check.Kind != CheckHTTP || two.MaxConnections != 100 {
		t.Errorf("%+v", two)
	}
	if two.Load.Kind != LoadNginx || two.Load.URL != "http://[::1]:8080/stat" {
		t.Errorf("%+v", two.Load)
	}
	found := b.Backend(Server{Name: "x", RTMP: "10.0.0.7:1935"}, b.DNS[0].BackendSettings)
	if found.Kind != KindSRS || found.Load.Kind != LoadSRS || found.Weight != 2 {
		t.Errorf("%+v", found)
	}
	if r := c.Node.Roles; len(r) != 1 || r[0] != RoleFront {
		t.Errorf("the roles are %v", r)
	}
	if c.Place.Publishers != "weighted" || c.Place.Viewers != ViewPullAware || c.Place.Sticky != 5*time.Second || c.Place.SlowStart != 30*time.Second {
		t.Errorf("%+v", c.Place)
	}
	if c.Node.Capacity != (Capacity{Egress: 10e9, Sessions: 20000}) || c.Node.Weight != 3 {
		t.Errorf("%+v %v", c.Node.Capacity, c.Node.Weight)
	}
	if c, err = Parse("w.yaml", []byte("node: {roles: [front, origin]}\nfront: {backends: {servers: [{rtmp: \"h:1\"}]}}\n")); err != nil || len(c.Node.Roles) != 2 {
		t.Errorf("%v %v", c.Node.Roles, err)
	}
}

func TestBadBackends(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"none", "front:\n  backends: {}\n", `w.yaml:2:3: front.backends: names no server and nowhere to learn of any; add servers, dns, file, http or srs`},
		{"no address", "front: {backends: {servers: [{name: a}]}}\n", `w.yaml:1:30: front.backends.servers[0]: the server has no address; give rtmp: HOST:PORT, or http: HOST:PORT`},
		{"no port", "front: {backends: {servers: [{rtmp: media1}]}}\n", `w.yaml:1:37: front.backends.servers[0].rtmp: "media1" has no port; write media1:1935`},
		{"no host", "front: {backends: {servers: [{rtmp: \":1935\"}]}}\n", `w.yaml:1:37: front.backends.servers[0].rtmp: ":1935" names no host; write HOST:PORT`},
		{"twice", "front:\n  backends:\n    servers:\n      - {name: a, rtmp: \"h:1\"}\n      - {name: a, rtmp: \"h:2\"}\n", `w.yaml:5:16: front.backends.servers[1].name: server 1 has the name a too; give each server its own name`},
		{"this node", "node: {name: a}\nfront: {backends: {servers: [{name: a, rtmp: \"h:1\"}]}}\n", `w.yaml:2:37: front.backends.servers[0].name: a is this node's own name; give the server another name`},
		{"unknown key, which may be the address", "front: {backends: {servers: [{rmtp: a}, {name: a, rtmp: h}]}}\n", `w.yaml:1:31: front.backends.servers[0].rmtp: unknown key; did you mean "rtmp"?
w.yaml:1:57: front.backends.servers[1].rtmp: "h" has no port; write h:1935`},
		{"all at once", `front:
  backends:
    defaults: {weight: heavy}
    servers:
      - {name: a, rtmp: h, weight: [1], zone: a/b}
      - {name: a, rtmp: "h:1"}
      - {name: c}
      - {name: d, rtmp: [h, i]}
      - 10.0.0.1:1935
      - {name: e, rtmp: ":1", roles: [player], load: 5}
    dns: [{name: a.b, port: x}, {port: 1}]
    http: [{url: [a]}, {}]
`, `w.yaml:3:24: front.backends.defaults.weight: "heavy" is no number
w.yaml:5:25: front.backends.servers[0].rtmp: "h" has no port; write h:1935
w.yaml:5:36: front.backends.servers[0].weight: this must be one value, not a list
w.yaml:5:47: front.backends.servers[0].zone: "a/b": holds '/'; use letters, digits, dots, dashes and underscores
w.yaml:6:16: front.backends.servers[1].name: server 1 has the name a too; give each server its own name
w.yaml:7:9: front.backends.servers[2]: the server has no address; give rtmp: HOST:PORT, or http: HOST:PORT
w.yaml:8:25: front.backends.servers[3].rtmp: this must be one value, not a list
w.yaml:9:9: front.backends.servers[4]: this must be a section with keys; write the keys below it, indented
w.yaml:10:25: front.backends.servers[5].rtmp: ":1" names no host; write HOST:PORT
w.yaml:10:39: front.backends.servers[5].roles[0]: "player" is not one of publish, play; did you mean "play"?
w.yaml:10:54: front.backends.servers[5].load: this must be a section with keys; write the keys below it, indented
w.yaml:11:29: front.backends.dns[0].port: "x" is no whole number
w.yaml:11:33: front.backends.dns[1]: no name to resolve; give name: HOST
w.yaml:12:18: front.backends.http[0].url: this must be one value, not a list
w.yaml:12:24: front.backends.http[1]: no URL; give url: http://HOST:PORT/PATH`},
		{"policy", "place: {viewers: pullaware}\n", `w.yaml:1:18: place.viewers: "pullaware" is not one of pull_aware, random, two_choices, least_connections, round_robin, hash, hash_bounded; did you mean "pull_aware"?`},
		{"rate", "node: {capacity: {egress: 10}}\n", `w.yaml:1:27: node.capacity.egress: "10" has no unit; write 10Mbps, 10Gbps or 10kbps`},
		{"weight", "node: {weight: 0}\n", `w.yaml:1:16: node.weight: 0 is out of range; it can be above 0, to 256; to send nothing, drain the server`},
		{"open registration", "front: {backends: {srs: {listen: \":12025\"}}}\n", `w.yaml:1:34: front.backends.srs.listen: anybody could register a server at :12025 and be sent streams; set token, or trust: the networks of the servers, or listen on 127.0.0.1`},
		{"no registration", "front: {backends: {srs: {token: x}, file: a}}\n", `w.yaml:1:20: front.backends.srs: no address to register at; give listen: :12025`},
		{"address as name", "front: {backends: {dns: [{name: 10.0.0.1, port: 1}]}}\n", `w.yaml:1:33: front.backends.dns[0].name: "10.0.0.1" is no name to resolve; write a domain name; addresses belong into servers`},
		{"a name twice", "front: {backends: {dns: [{name: a.b, port: 1}, {name: a.b, type: AAAA, port: 1}, {name: a.b, type: A, port: 2}]}}\n", `w.yaml:1:89: front.backends.dns[2].name: a.b is given twice; each list would take the other's servers away`},
		{"a URL twice", "front: {backends: {http: [{url: 'http://h/s?a'}, {url: 'http://h/s?b'}]}}\n", `w.yaml:1:56: front.backends.http[1].url: http://h/s is given twice; each list would take the other's servers away`},
		{"no port of a name", "front: {backends: {dns: {name: a.b}}}\n", `w.yaml:1:25: front.backends.dns[0]: no port; give port: 1935, or type: SRV`},
		{"no URL", "front: {backends: {http: {url: servers.json}}}\n", `w.yaml:1:32: front.backends.http[0].url: no URL of HTTP; write http://HOST:PORT/PATH`},
		{"a placeholder that there is not", "front: {backends: {file: a, defaults: {load: {url: 'http://{hots}:8080/stat'}, check: {url: 'http://{host}/{zone}'}, public: '{hostname}:1935'}}}\n", `w.yaml:1:52: front.backends.defaults.load.url: unknown placeholder {hots}; did you mean "host"?
w.yaml:1:93: front.backends.defaults.check.url: unknown placeholder {zone}; {host} and {name} stand for the server's
w.yaml:1:126: front.backends.defaults.public: unknown placeholder {hostname}; {host} and {name} stand for the server's`},
		{"URL for an address", "front: {backends: {servers: [{rtmp: \"rtmp://h:1/live\", name: a}]}}\n", `w.yaml:1:37: front.backends.servers[0].rtmp: "rtmp://h:1/live" is no address; write HOST:PORT without a scheme or path`},
		{"address without brackets", "front: {backends: {servers: [{rtmp: \"fe80::1:1935\", name: a}]}}\n", `w.yaml:1:37: front.backends.servers[0].rtmp: "fe80::1:1935" is no address; write an IPv6 address in brackets, as in [::1]:1935`},
		{"itself", "rtmp: {listen: \"10.0.0.1:1935\"}\nfront: {backends: {servers: [{rtmp: \"10.0.0.1:1935\"}]}}\n", `w.yaml:2:37: front.backends.servers[0].rtmp: 10.0.0.1:1935 is this node itself: it would send sessions round in a circle; give the server's own address`},
		{"itself on the loopback", "front: {backends: {servers: [{rtmp: \"localhost:1935\"}]}}\n", `w.yaml:1:37: front.backends.servers[0].rtmp: localhost:1935 is this node itself: it would send sessions round in a circle; give the server's own address`},
		{"itself over HTTP", "node: {advertise: 10.0.0.1}\nfront: {backends: {servers: [{name: a, http: \"10.0.0.1:8080\"}]}}\n", `w.yaml:2:46: front.backends.servers[0].http: 10.0.0.1:8080 is this node itself: it would send sessions round in a circle; give the server's own address`},
		{"check of HTTP without HTTP", "front: {backends: {servers: [{rtmp: \"10.0.0.1:1936\", check: {kind: http}}]}}\n", `w.yaml:1:68: front.backends.servers[0].check.kind: http has nothing to ask: the server has neither check.url nor an HTTP address; add one of them, or take rtmp`},
		{"nginx without HTTP", "front: {backends: {servers: [{rtmp: \"10.0.0.1:1936\", load: {kind: nginx}}]}}\n", `w.yaml:1:67: front.backends.servers[0].load.kind: nginx has nothing to ask: the server has neither load.url nor an HTTP address; add one of them: nginx-rtmp has its statistics where its configuration says rtmp_stat`},
		{"nginx without HTTP for all", "front: {backends: {defaults: {load: {kind: nginx}}, servers: [{rtmp: \"10.0.0.1:1936\"}, {rtmp: \"10.0.0.2:1936\", http: \"10.0.0.2:80\"}]}}\n", `w.yaml:1:63: front.backends.servers[0]: nginx has nothing to ask: the server has neither load.url nor an HTTP address; add one of them: nginx-rtmp has its statistics where its configuration says rtmp_stat`},
		{"check of HTTP for all", "front: {backends: {defaults: {check: {kind: http}}, servers: [{rtmp: \"10.0.0.1:1936\"}]}}\n", `w.yaml:1:63: front.backends.servers[0]: http has nothing to ask: the server has neither check.url nor an HTTP address; add one of them, or take rtmp`},
		{"without the role", "node: {roles: [origin]}\nfront: {backends: {file: a}}\n", `w.yaml:2:9: front.backends: has no effect without the role front; add front to node.roles, or remove it`},
		{"check", "front: {backends: {file: a, defaults: {check: {rise: 0, interval: 5ms}}}}\n", `w.yaml:1:54: front.backends.defaults.check.rise: 0 is out of range; it can be 1 to 100
w.yaml:1:67: front.backends.defaults.check.interval: 5ms is out of range; it can be 100ms to 1h0m0s`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("w.yaml", []byte(tc.file))
			if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestServersOfAFile(t *testing.T) {
	b := &Backends{Defaults: BackendSettings{Weight: new(4.0)}}
	got, err := b.ParseServers("s.yaml", []byte("servers:\n- {name: a, rtmp: \"h:1\"}\n- rtmp: h:2\n  weight: 1\n"))
	if err != nil || len(got) != 2 || got[0].Weight != 4 || got[1].Name != "h:2" || got[1].Weight != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := b.ParseServers("s.yaml", []byte("servers: []\n")); err != nil || len(got) != 0 {
		t.Errorf("%+v %v", got, err)
	}
	for text, want := range map[string]string{
		"":                                    "no list of servers",
		"servers:\n":                          "no list of servers",
		"nodes: [a]\n":                        "s.yaml:1:1: nodes: unknown key",
		"servers: {name: a":                   "not YAML",
		"servers:\n- {rtmp: h}\n":             `s.yaml:2:10: servers[0].rtmp: "h" has no port`,
		strings.Repeat("[", 1<<20):            "nested too deeply",
		strings.Repeat("- ", 1<<19):           "nested too deeply",
		"servers: [" + `{rtmp: "h:1", a: 1}]`: "servers[0].a: unknown key",
	} {
		if _, err := b.ParseServers("s.yaml", []byte(text)); err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

func TestServersOfAProgram(t *testing.T) {
	b := &Backends{}
	got, err := b.ParseServersJSON([]byte(`{"version": 1, "servers": [{"name": "a", "rtmp": "h:1", "weight": 2, "egress": "1Gbps", "roles": ["play"],
		"check": {"kind": "tcp", "passive": false}, "colour": "red"}, {"rtmp": "h:2"}]}`), BackendSettings{MaxPublishers: new(7)})
	if err != nil || len(got) != 2 || got[0].Weight != 2 || got[0].Egress != 1e9 || got[0].Publish || got[0].Check.Kind != CheckTCP || got[0].Check.Passive ||
		got[1].MaxPublishers != 7 {
		t.Errorf("%+v %v", got, err)
	}
	for text, want := range map[string]string{
		`[]`:                               `not a list of servers: write {"servers": [{"name": …, "rtmp": …}, …]}`,
		`{}`:                               `it has no "servers"`,
		`{"servers": [1]}`:                 `not a list of servers: write {"servers": [{"name": …, "rtmp": …}, …]}`,
		`{"servers": [{}]}`:                "the server has no address",
		`{"servers": [{"rtmp": 5}]}`:       "has no port",
		`{"servers": [{"rtmp": ["h:1"]}]}`: "servers[0].rtmp: this must be one value",
		`{"servers": [{"rtmp": "h:1", "check": 1}]}`:               "servers[0].check: this must be an object",
		`{"servers": [{"rtmp": "h:1"}, {"rtmp": "h:1"}]}`:          "server 1 has the name",
		`{"servers": [{"name": "a b", "rtmp": "h:1"}]}`:            `"a b": holds ' '`,
		`{"servers": [{"rtmp": "h:1", "egress": "fast"}]}`:         `"fast" is no rate`,
		`{"servers": [{"rtmp": "h:1\nlevel=error msg=forged:1"}]}`: "",
	} {
		_, err := b.ParseServersJSON([]byte(text), BackendSettings{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		var es Errors
		if errors.As(err, &es) && strings.Contains(err.Error(), "\nlevel") {
			t.Errorf("a line of its own: %v", err)
		}
	}
}

func FuzzServers(f *testing.F) {
	f.Add([]byte(fleetFile))
	f.Add([]byte("servers:\n- {name: a, rtmp: \"h:1\"}\n"))
	f.Add([]byte(`{"servers": [{"name": "a", "rtmp": "h:1", "check": {"kind": "tcp"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := &Backends{}
		one, err := b.ParseServers("f", data)
		two, err2 := b.ParseServersJSON(data, BackendSettings{})
		for _, s := range append(one, two...) {
			if s.Name == "" || s.RTMP == "" && s.HTTP == "" || !(s.Weight > 0) {
				t.Errorf("%+v %v %v", s, err, err2)
			}
		}
	})
}
