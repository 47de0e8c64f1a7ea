package config

import (
	"net/netip"
	"strings"
	"testing"
)

func TestFrontAndProxyProtocol(t *testing.T) {
	c, err := Parse("w.yaml", []byte("rtmp:\n  proxy_protocol: {trust: [10.0.0.5, \"2001:db8::/32\", 192.168.1.77/24]}\nfront: {publish: splice, play: carry, redirect: [srs, \"flashver:X \"]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := c.RTMP.ProxyProtocol.Trusted()
	for addr, want := range map[string]bool{
		"10.0.0.5": true, "::ffff:10.0.0.5": true, "10.0.0.6": false, "2001:db8::1": true, "2001:db9::1": false, "192.168.1.1": true, "fe80::1%eth0": false,
	} {
		if got := trusted(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	none := Default()
	if none.RTMP.ProxyProtocol.Trusted() != nil {
		t.Error("somebody is trusted by default")
	}
}

func TestBadFrontAndProxyProtocol(t *testing.T) {
	for file, want := range map[string]string{
		"rtmp: {proxy_protocol: {trust: [proxy1]}}":   `"proxy1" is no address or network`,
		"rtmp: {proxy_protocol: {trust: [\"::/0\"]}}": "is everybody",
		"front: {publish: auto}":                      `"auto" is for front.play`,
		"front: {play: spliced}":                      "is not one of auto, carry, splice",
		"front: {redirect: [obs]}":                    `"obs" is no family of clients`,
		"front: {redirect: [\"flashver:\"]}":          "is no family of clients",
	} {
		if _, err := Parse("w.yaml", []byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
