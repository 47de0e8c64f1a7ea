package config

import (
	"strings"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	c, err := Parse("w.yaml", []byte(`node: {public: live1.example.com}
front:
  backends:
    defaults: {public: "{name}.example.com:1935"}
    servers:
      - {name: edge1, rtmp: "10.0.1.1:1935"}
      - {name: edge2, rtmp: "10.0.1.2:1935", public: "203.0.113.2:1936"}
      - {name: edge3, rtmp: "10.0.1.3:1935", public: "203.0.113.3:1935", shared: true}
      - {name: edge4, rtmp: "10.0.1.4:1935", public: "203.0.113.3:1935", shared: true}
    dns: [{name: media.example.com, port: 1935, public: "{host}:1936"}]
    http: [{url: "http://list.example.com/", public: "[{host}]:1936", check: {kind: http, url: "http://[{host}]:8080/health"}}]
    srs: {listen: "127.0.0.1:0", public: "{host}:1937"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Node.Public != "live1.example.com" {
		t.Errorf("%q", c.Node.Public)
	}
	b := &c.Front.Backends
	for i, want := range []string{"edge1.example.com:1935", "203.0.113.2:1936", "203.0.113.3:1935", "203.0.113.3:1935"} {
		if got := b.Backend(b.Servers[i]).Public; got != want {
			t.Errorf("server %d: %q, want %q", i, got, want)
		}
	}
	if got := b.Backend(Server{RTMP: "[2001:db8::7]:1935"}, b.DNS[0].BackendSettings).Public; got != "[2001:db8::7]:1936" {
		t.Errorf("found by DNS: %q", got)
	}
	bracketed := BackendSettings{Public: new("[{host}]:1936"), Check: CheckSettings{URL: new("http://[{host}]:8080/health")}}
	for rtmp, host := range map[string]string{"[2001:db8::7]:1935": "[2001:db8::7]", "10.0.0.7:1935": "10.0.0.7", "edge7:1935": "edge7"} {
		if got := b.Backend(Server{RTMP: rtmp}, bracketed); got.Public != host+":1936" || got.Check.URL != "http://"+host+":8080/health" {
			t.Errorf("with brackets of its own, %s: %q, %q", rtmp, got.Public, got.Check.URL)
		}
	}
	if got := b.Backend(Server{RTMP: "10.0.0.7:19350"}, b.SRS.BackendSettings).Public; got != "10.0.0.7:1937" {
		t.Errorf("registered: %q", got)
	}
	list, err := b.ParseServersJSON([]byte(`{"servers":[{"name":"x","rtmp":"10.0.0.8:1935","public":"x.example.net:1935"}]}`), BackendSettings{})
	if err != nil || list[0].Public != "x.example.net:1935" {
		t.Errorf("of a list: %+v %v", list, err)
	}
}

func TestBadPublicAddresses(t *testing.T) {
	server := func(s string) string { return "front: {backends: {servers: [{rtmp: \"10.0.0.1:1935\", " + s + "}]}}" }
	for file, want := range map[string]string{
		server(`public: "edge1.example.com"`):                                                          "has no port",
		server(`public: "rtmp://edge1:1935"`):                                                          "is no address",
		server(`public: "edge1:99999"`):                                                                "port",
		server(`public: "0.0.0.0:1935"`):                                                               "nobody's address",
		server(`public: "[::]:1935"`):                                                                  "nobody's address",
		server(`public: "239.1.1.1:1935"`):                                                             "nobody's address",
		server(`public: "{name}:1935"`):                                                                "is no address", // its name is its address
		server(`public: "127.0.0.1:1935"`):                                                             "is this node itself",
		"front: {backends: {srs: {listen: \"127.0.0.1:0\", public: \"live:1935\"}}}":                   "every server would have this address",
		"front: {backends: {dns: [{name: m.example.com, port: 1935, public: \"live:1935\"}]}}":         "every server would have this address",
		"front: {backends: {defaults: {public: \"live:1935\"}, servers: [{rtmp: \"10.0.0.1:1935\"}]}}": "every server would have this address",
		"front: {backends: {servers: [{rtmp: \"10.0.0.1:1935\", public: \"p:1935\"}, {rtmp: \"10.0.0.2:1935\", public: \"p:1935\"}]}}": "they would get to either",
		"node: {public: \"rtmp://live1\"}": "is no address",
		"node: {public: \"live1:0x\"}":     "port",
		"node: {public: \"0.0.0.0\"}":      "nobody's address",
	} {
		if _, err := Parse("w.yaml", []byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
