package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"weir/bench/rig"
)

// balancer is what stands before the servers in a trial.
type balancer struct {
	addr string
	p    *rig.Program
}

// contenders are those that can be asked for, in the order of the tables. weir-weights is told that one server weighs two, as
// HAProxy is, instead of how much each can send.
var contenders = []string{"weir", "weir-weights", "haproxy"}

// balance starts a contender.
func (p *plan) balance(ctx context.Context, contender string, servers []*server) (*balancer, error) {
	switch contender {
	case "weir":
		return p.weirFront(ctx, servers, func(s *server) (key string, value any) { return "egress", fmt.Sprintf("%.0fMbps", unit*s.capacity/1e6) })
	case "weir-weights":
		return p.weirFront(ctx, servers, func(s *server) (key string, value any) { return "weight", s.capacity })
	case "haproxy":
		return p.haproxy(ctx, servers)
	}
	return nil, fmt.Errorf("contender %q: want %s", contender, strings.Join(contenders, ", "))
}

// unit is the egress that a server of capacity 1 is described with. It refuses nobody: the busiest
// carries a third of it.
const unit = 40e6

// weirFront is this tree's server as a front, with its defaults but for what comes of compressing time: the grace
// in which a publisher goes back to the server that it had is the trace's.
func (p *plan) weirFront(ctx context.Context, servers []*server, size func(*server) (key string, value any)) (*balancer, error) {
	var list []any
	for _, s := range servers {
		entry := map[string]any{"name": s.name, "rtmp": s.rtmp, "kind": "nginx-rtmp", "load": map[string]any{"kind": "nginx", "url": s.stat}}
		key, value := size(s)
		entry[key] = value
		list = append(list, entry)
	}
	n, err := rig.Weir(ctx, p.weir, p.dir, map[string]any{
		"front": map[string]any{"backends": map[string]any{"servers": list}},
		"place": map[string]any{"sticky": p.trace.Away.String()},
	})
	if err != nil {
		return nil, err
	}
	return &balancer{n.RTMP, n.Program}, nil
}

// haproxy is HAProxy as one would set it up for RTMP.
func (p *plan) haproxy(ctx context.Context, servers []*server) (*balancer, error) {
	proc, addr, err := rig.Configured(ctx, p.dir, func(addr string) string {
		var b strings.Builder
		fmt.Fprintf(&b, `global
  maxconn 4000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen rtmp
  bind %s
  balance leastconn
`, addr)
		for _, s := range servers {
			fmt.Fprintf(&b, "  server %s %s weight %.0f check\n", s.name, s.rtmp, s.capacity)
		}
		return b.String()
	}, rig.Path("haproxy"), "-db", "-f")
	if err != nil {
		return nil, err
	}
	return &balancer{addr, proc}, nil
}

// settle is how long health checks and load polls have before the trace begins.
const settle = 2 * time.Second
