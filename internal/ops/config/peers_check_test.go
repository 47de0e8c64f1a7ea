package config

import (
	"strings"
	"testing"
)

// Each way to get the list of embedded members wrong that one node can see is told with what to do.
func TestPeersThatCannotWork(t *testing.T) {
	for what, c := range map[string]struct{ store, want string }{
		"even":         {`peers: [n1=10.0.0.1:2380, n2=10.0.0.2:2380]`, "2 members tolerate no more failures than 1; use 1, 3 or 5"},
		"without it":   {`peers: [a=10.0.0.1:2380, b=10.0.0.2:2380, c=10.0.0.3:2380]`, "this node, n1, is not among them; list every member"},
		"a name twice": {`peers: [n1=10.0.0.1:2380, n2=10.0.0.2:2380, n2=10.0.0.3:2380]`, "n2 is given twice"},
		"an address twice": {`peers: [n1=10.0.0.1:2380, n2=10.0.0.2:2380, n3=10.0.0.2:2380]`,
			"10.0.0.2:2380 is also the address of n2; give each member its own"},
		"no name":  {`peers: ["n1=10.0.0.1:2380", "10.0.0.2:2380", "n3=10.0.0.3:2380"]`, `"10.0.0.2:2380" is no member; write NAME=HOST:PORT`},
		"no host":  {`peers: ["n1=:2380", "n2=10.0.0.2:2380", "n3=10.0.0.3:2380"]`, `":2380" names no host: the other members could not reach it`},
		"wildcard": {`peers: ["n1=0.0.0.0:2380", "n2=10.0.0.2:2380", "n3=10.0.0.3:2380"]`, `"0.0.0.0:2380" names no host`},
		"port 0":   {`peers: ["n1=10.0.0.1:0", "n2=10.0.0.2:2380", "n3=10.0.0.3:2380"]`, "the port must be a number from 1"},
		"a scheme": {`peers: ["n1=https://10.0.0.1:2380", "n2=10.0.0.2:2380", "n3=10.0.0.3:2380"]`, `"https://10.0.0.1:2380" is no address`},
		"loopback": {`peers: [n1=127.0.0.1:2380, n2=10.0.0.2:2380, n3=10.0.0.3:2380]`, "some addresses are of the loopback"},
		"a port for two": {`peers: [n1=10.0.0.1:2379, n2=10.0.0.2:2380, n3=10.0.0.3:2380]
  listen: "10.0.0.1:2379"`,
			"10.0.0.1:2379 is also store.listen; give each listener its own port"},
		"a port for two, by a name": {`peers: [n1=media1:2379, n2=media2:2380, n3=media3:2380]
  listen: "10.0.0.1:2379"`,
			"0.0.0.0:2379 is also store.listen; give each listener its own port"},
		"a port for two, on the loopback": {`peers: [n1=localhost:2379, n2=localhost:2380, n3=localhost:2381]
  listen: "127.0.0.1:2379"`,
			"127.0.0.1:2379 is also store.listen; give each listener its own port"},
		"TLS": {`tls: {ca: ca.pem}
  peers: [n1=10.0.0.1:2380, n2=10.0.0.2:2380, n3=10.0.0.3:2380]`,
			"store.tls.ca: has no effect while store.kind is embedded"},
	} {
		_, err := Parse("w.yaml", []byte("node: {name: n1}\nstore:\n  kind: embedded\n  "+c.store+"\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", what, err, c.want)
		}
	}
	for what, peers := range map[string]string{
		"addresses":   "n1=10.0.0.1:2380, n2=10.0.0.2:2380, n3=10.0.0.3:2380",
		"names":       "n1=media1:2380, n2=media2:2380, n3=media3:2380",
		"one machine": "n1=127.0.0.1:2380, n2=127.0.0.1:2381, n3=localhost:2382",
		"IPv6":        `"n1=[fd00::1]:2380", "n2=[fd00::2]:2380", "n3=[fd00::3]:2380"`,
		"one":         "n1=10.0.0.1:2380",
	} {
		if _, err := Parse("w.yaml", []byte("node: {name: n1}\nstore:\n  kind: embedded\n  peers: ["+peers+"]\n")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A member listens where the others reach it; at a name, which may mean the loopback to itself, everywhere.
func TestWhereAMemberListens(t *testing.T) {
	var c Config
	c.Store.Peers = []string{"a=10.0.0.1:1", "b=media2:2", "c=[fd00::3]:3", "d=localhost:4"}
	for name, want := range map[string]string{"a": "10.0.0.1:1", "b": "0.0.0.0:2", "c": "[fd00::3]:3", "d": "127.0.0.1:4", "e": ""} {
		c.Node.Name = name
		if got := c.PeersListen(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
