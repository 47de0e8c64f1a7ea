package node_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"weir/internal/node"
)

// A load balancer's checks of the port are counted, and fill no log.
func TestChecksOfThePortAreNoNews(t *testing.T) {
	cfg := quickConfig("n")
	cfg.Admin.Listen = "127.0.0.1:0"
	r, _ := startWith(t, node.World{}, cfg)
	for i := range 6 {
		nc, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 { // as HAProxy ends its checks
			nc.(*net.TCPConn).SetLinger(0)
		}
		nc.Close()
	}
	if !eventually(patience, func() bool {
		return strings.Contains(r.get(t, "admin", "/metrics"), `weir_sessions_empty_total{node="n"} 6`)
	}) {
		t.Error("they are not all counted")
	}
	if l, told := r.log.wait(0, func(l line) bool { return l.msg == "session closed" && l.level > slog.LevelDebug }); told {
		t.Errorf("told: %+v", l)
	}
}
