package main

import (
	"context"
	"fmt"
	"strings"

	"weir/bench/rig"
)

// program is a server or a proxy that runs.
type program struct {
	addr string
	pid  int
	stop func()
}

func up(p *rig.Program, addr string, err error) (*program, error) {
	if err != nil {
		return nil, err
	}
	return &program{addr, p.Pid(), p.Stop}, nil
}

// nginx is nginx-rtmp.
func (p *plan) nginx(ctx context.Context, more string) (*program, error) {
	return up(rig.Nginx(ctx, p.dir, more, ""))
}

// haproxy passes TCP on, with splice.
func (p *plan) haproxy(ctx context.Context, backend string) (*program, error) {
	return up(rig.Configured(ctx, p.dir, func(addr string) string {
		return fmt.Sprintf(`global
  maxconn 4000
  nbthread %d
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen rtmp
  bind %s
  server backend %s
`, p.haproxyThreads, addr, backend)
	}, rig.Path("haproxy"), "-db", "-f"))
}

// weirNode starts this tree's server with a configuration.
func (p *plan) weirNode(ctx context.Context, config map[string]any) (*program, error) {
	n, err := rig.Weir(ctx, p.weir, p.dir, config)
	if err != nil {
		return nil, err
	}
	return &program{n.RTMP, n.Pid(), n.Stop}, nil
}

// command is a program that prints its address.
func command(ctx context.Context, line, backend string) (*program, error) {
	var addr string
	p, err := rig.Saying(ctx, func(line []byte) bool { addr = string(line); return true }, append(strings.Fields(line), backend)...)
	return up(p, addr, err)
}
