package main

import (
	"context"

	"weir/bench/rig"
)

// nginx is nginx-rtmp as Debian packs it, in one process.
type nginx struct{ t *tools }

func (nginx) name() string { return "nginx" }

func (n nginx) start(ctx context.Context, _ load) (*server, error) {
	p, addr, err := rig.Nginx(ctx, n.t.dir, "", "")
	if err != nil {
		return nil, err
	}
	return &server{url: "rtmp://" + addr + "/live/fanout", pid: p.Pid(), stop: p.Stop}, nil
}
