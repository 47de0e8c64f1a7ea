package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"weir/internal/bench/stamp"
	"weir/internal/control/store"
	"weir/internal/node"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
)

// startIn is start in a cluster whose store is m; stop ends the node.
func startIn(t *testing.T, m *store.Memory, name string, roles ...config.Role) (r *running, stop func()) {
	t.Helper()
	cfg := quickConfig(name)
	cfg.Node.Roles, cfg.Node.DrainTimeout = roles, 0
	cfg.HTTP.Listen, cfg.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Limits.ConnectionsPerAddr = 8
	return startWith(t, inStore(m), cfg)
}

// inStore is a world whose store is m.
func inStore(m *store.Memory) node.World {
	return node.World{Store: func(context.Context) (store.Store, error) { return m.Client(), nil }}
}

func (r *running) listening(what string) string {
	l, _ := r.log.wait(patience, func(l line) bool { return l.msg == "listening" && l.attrs["what"] == what })
	return l.attrs["addr"]
}

type loadOf struct{ Publishers, Viewers, Pulls int }

// load is what a node says of itself in the list of nodes.
func (r *running) load(t *testing.T, name string) loadOf {
	t.Helper()
	resp, err := http.Get("http://" + r.listening("admin") + "/api/v1/nodes")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Nodes []struct {
			Name string
			Load loadOf
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, n := range answer.Nodes {
		if n.Name == name {
			return n.Load
		}
	}
	return loadOf{-1, -1, -1}
}

// A publisher is one, also where the front that it came through and the origin that has it
// are one node; and a stream that is published here is not pulled.
func TestANodeCountsEachPublisherOnce(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	a, _ := startIn(t, m, "a", config.RoleFront, config.RoleOrigin, config.RoleEdge)
	_, stopB := startIn(t, m, "b", config.RoleOrigin)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	const streams = 6
	for i := range streams {
		accepted, url := make(chan struct{}), a.url(fmt.Sprint("live/s", i))
		wg.Go(func() {
			o := stamp.PublishOptions{URL: url, Feed: stamp.NewSource(fmt.Sprint("live/s", i), 1, stamp.Shape{}), Accepted: func() { close(accepted) }}
			if err := stamp.Publish(ctx, o); err != nil {
				t.Errorf("publisher %d: %v", i, err)
			}
		})
		await(t, accepted)
		v, err := stamp.NewViewer(stamp.ViewOptions{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := v.Run(ctx); err != nil {
				t.Errorf("viewer %d: %v", i, err)
			}
		})
	}
	var b loadOf
	if !eventually(patience, func() bool { b = a.load(t, "b"); return b.Publishers > 0 && a.load(t, "a").Pulls == b.Publishers }) {
		t.Errorf("b has %+v and a %+v: nothing is shared out", b, a.load(t, "a"))
	}
	stopB() // what b had, a's front hands to a's origin
	want := loadOf{Publishers: streams, Viewers: streams}
	if !eventually(patience, func() bool { return a.load(t, "a") == want }) {
		t.Errorf("a says %+v of itself, want %+v", a.load(t, "a"), want)
	}
}

// P4: viewers over HTTP count among the connections of their address, with those over RTMP.
func TestP4ViewersOverHTTPCountForTheirAddress(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	n, _ := startIn(t, m, "a", config.RoleFront, config.RoleOrigin, config.RoleEdge)
	sing(t, n, n)
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	client := http.Client{Transport: &http.Transport{DialContext: from.DialContext}}
	get := func() *http.Response {
		resp, err := client.Get("http://" + n.listening("http") + "/live/canary.flv")
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	var open []*http.Response
	for range 8 {
		resp := get()
		if open = append(open, resp); resp.StatusCode != http.StatusOK {
			t.Fatalf("viewer %d: %s", len(open), resp.Status)
		}
	}
	resp := get()
	resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || n.turn.of(event.TooManyOfOne) != 1 {
		t.Errorf("one too many: %s", resp.Status)
	}
	nc, err := from.DialContext(t.Context(), "tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if !eventually(patience, func() bool { return n.turn.of(event.TooManyOfOne) == 2 }) {
		t.Error("over RTMP there is room for the same address")
	}
	for _, r := range open {
		r.Body.Close()
	}
	if !eventually(patience, func() bool {
		resp := get()
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}) {
		t.Error("viewers who have left still count")
	}
}

// traffic is what a node says of its bits per second in the list of nodes.
func (r *running) traffic(t *testing.T, name string) (in, out float64) {
	t.Helper()
	var answer struct{ Nodes []admin.Node }
	if err := json.Unmarshal([]byte(r.get(t, "admin", "/api/v1/nodes")), &answer); err != nil {
		t.Fatal(err)
	}
	for _, n := range answer.Nodes {
		if n.Name == name {
			return n.Load.Ingress, n.Load.Egress
		}
	}
	return -1, -1
}

// relayed is a front, an origin and an edge, with a stream that comes in at the first and is watched at the last.
func relayed(t *testing.T) (f, o, e *running) {
	t.Helper()
	m := store.NewMemory()
	t.Cleanup(func() { m.Close() })
	f, _ = startIn(t, m, "f", config.RoleFront)
	o, _ = startIn(t, m, "o", config.RoleOrigin)
	e, _ = startIn(t, m, "e", config.RoleEdge)
	f.sees(t, "o")
	e.sees(t, "o")
	publish(t, f.addr, "live/cam", stamp.Shape{})
	if !eventually(patience, func() bool { return strings.Contains(e.get(t, "admin", "/api/v1/streams"), `"cam"`) }) {
		t.Fatal("the edge does not hear of the stream")
	}
	watch(t, e.addr, "live/cam")
	return f, o, e
}

// What a node says of its traffic is all that streams cause, wherever it has been connected from: a front pushes what it
// gets, an origin feeds edges, an edge pulls what it sends.
func TestANodesTrafficIsInAndOutWhereverAStreamComesThrough(t *testing.T) {
	_, o, _ := relayed(t)
	const bps = 100_000 // well below what the publisher sends, and above all else
	for _, node := range []string{"f", "o", "e"} {
		var in, out float64
		if !eventually(patience, func() bool { in, out = o.traffic(t, node); return in > bps && out > bps }) {
			t.Errorf("%s says %v in and %v out", node, in, out)
		}
	}
}
