package node_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/ops/config"
	"weir/internal/proctest"
)

// statistics are /haproxy;csv of a server, parsed: the header line as it came, and the lines by proxy/server.
func statistics(t *testing.T, url string) (header string, lines map[string]map[string]string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatalf("%s: %s", url, resp.Status)
	}
	var text strings.Builder
	rows, err := csv.NewReader(teeText{resp.Body, &text}).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ = strings.Cut(text.String(), "\n")
	lines = map[string]map[string]string{}
	for _, row := range rows[1:] {
		line := map[string]string{}
		for i, name := range rows[0] {
			line[strings.TrimPrefix(name, "# ")] = row[i]
		}
		lines[line["pxname"]+"/"+line["svname"]] = line
	}
	return header, lines
}

// A real HAProxy in front of two nodes balances by what their agents say, and its own statistics have the
// columns of ours.
func TestAnHAProxyBalancesByOurAgentsAndItsDashboardsReadUs(t *testing.T) {
	nodes := map[string]*running{}
	for _, name := range []string{"media1", "media2"} {
		cfg := quickConfig(name)
		cfg.Admin.Listen, cfg.Admin.Agent = "127.0.0.1:0", "127.0.0.1:0"
		cfg.Node.Capacity = config.Capacity{Sessions: 4}
		cfg.Limits.Command = 20 * time.Second
		nodes[name] = start(t, cfg)
	}
	stats, bind := proctest.Addr(t), proctest.Addr(t)
	var servers strings.Builder
	for _, name := range []string{"media1", "media2"} {
		_, port, _ := strings.Cut(nodes[name].listening("agent"), ":")
		fmt.Fprintf(&servers, "\tserver %s %s check inter 200ms weight 100 agent-check agent-port %s agent-inter 200ms\n", name, nodes[name].addr, port)
	}
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `defaults
	mode tcp
	timeout connect 2s
	timeout client 20s
	timeout server 20s
frontend stats
	mode http
	bind %s
	stats enable
	stats uri /haproxy
frontend rtmp
	bind %s
	default_backend media
backend media
	balance leastconn
%s`, stats, bind, servers.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "haproxy", "-db", "-f", conf)
	accepts(t, stats)
	haproxy := "http://" + stats + "/haproxy;csv"

	is := func(server, what string, so func(l map[string]string) bool) {
		t.Helper()
		var l map[string]string
		if !eventually(patience, func() bool {
			_, lines := statistics(t, haproxy)
			l = lines["media/"+server]
			return so(l)
		}) {
			t.Fatalf("%s: not %s within %v: status %s, weight %s, agent %s %s %s", server, what, patience, l["status"], l["weight"], l["agent_status"], l["agent_code"], l["last_agt"])
		}
	}
	for name := range nodes {
		// An idle node's processor is nearly all it has to give: the machine may be busy, the weight says so.
		is(name, "up with an agent that answers", func(l map[string]string) bool {
			return l["status"] == "UP" && l["agent_status"] == "L7OK" && l["weight"] != "0"
		})
	}
	publish(t, nodes["media1"].addr, "live/a", stamp.Shape{})
	watch(t, nodes["media1"].addr, "live/a")
	watch(t, nodes["media1"].addr, "live/a")
	is("media1", "at a quarter of its weight with 3 of 4 sessions", func(l map[string]string) bool { return l["weight"] == "25" })

	if err := nodes["media1"].api().Drain(t.Context(), "media1", 0); err != nil {
		t.Fatal(err)
	}
	is("media1", "drained", func(l map[string]string) bool { return strings.HasPrefix(l["status"], "DRAIN") })
	is("media2", "up", func(l map[string]string) bool { return l["status"] == "UP" })
	publish(t, bind, "live/b", stamp.Shape{}) // through HAProxy
	if !eventually(patience, func() bool { return nodes["media2"].load(t, "media2").Publishers == 1 }) {
		t.Error("a publisher through HAProxy is not at the node that is not drained")
	}
	if err := nodes["media1"].api().Undrain(t.Context(), "media1"); err != nil {
		t.Fatal(err)
	}
	is("media1", "up again", func(l map[string]string) bool { return l["status"] == "UP" && l["weight"] != "0" })

	theirs, _ := statistics(t, haproxy)
	ours, lines := statistics(t, "http://"+nodes["media2"].listening("admin")+"/haproxy;csv")
	if theirs != ours {
		t.Errorf("the header lines differ:\nHAProxy %s\nours    %s", theirs, ours)
	}
	if l := lines["nodes/media2"]; l["status"] != "UP" || l["type"] != "2" || l["slim"] != "4" {
		t.Errorf("our own line: %v", l)
	}
	if lines["rtmp/FRONTEND"]["status"] != "OPEN" || lines["nodes/BACKEND"]["type"] != "1" || lines["backends/BACKEND"]["status"] != "DOWN" {
		t.Errorf("our lines: %v", lines)
	}
}
