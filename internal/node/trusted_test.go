package node

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
)

// Each request by HTTP asks whose address it comes from: that must not be a list of all nodes each time.
func TestNodesAreNotListedForEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(name, addr string) cluster.Node {
			var n cluster.Node
			n.Name, n.Addresses.RTMP = name, addr
			return n
		}
		list, asked := []cluster.Node{at("a", "10.0.0.1:1935"), at("b", "[2001:db8::2]:1935"), at("c", "")}, 0
		nodes := func() []cluster.Node { asked++; return list }
		var book addressBook
		for range 1000 {
			for addr, want := range map[string]bool{"10.0.0.1": true, "2001:db8::2": true, "10.0.0.3": false} {
				if book.has(netip.MustParseAddr(addr), nodes) != want {
					t.Fatalf("%s is a node's: %v", addr, !want)
				}
			}
		}
		if asked != 1 {
			t.Errorf("the nodes were listed %d times", asked)
		}
		list = []cluster.Node{at("d", "10.0.0.3:1935")}
		time.Sleep(addressesFor + time.Millisecond)
		if !book.has(netip.MustParseAddr("10.0.0.3"), nodes) || book.has(netip.MustParseAddr("10.0.0.1"), nodes) || asked != 2 {
			t.Errorf("a newcomer is not known, or who has left still is, after asking %d times", asked)
		}
	})
}
