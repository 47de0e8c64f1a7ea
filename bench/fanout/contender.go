package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// contender is a server that can be measured.
type contender interface {
	name() string
	// start starts it for one trial, ready to be published to and played.
	start(ctx context.Context, l load) (*server, error)
}

// server is a contender that runs.
type server struct {
	url       string // of its stream
	viewURL   string // where it is played, if not there
	pid       int
	publishes bool // it makes the stream itself
	stop      func()
}

func (s *server) play() string {
	if s.viewURL != "" {
		return s.viewURL
	}
	return s.url
}

// tools are what trials are made with.
type tools struct {
	weir        string // binary
	floorSource string
	floorBinary string // once built
	dir         string // for temporary files
}

// parseContender reads one of the forms in the command's documentation.
func parseContender(t *tools, s string) (contender, error) {
	name, rest, external := strings.Cut(s, "=")
	switch {
	case s == "weir", s == "weir-flv", strings.HasPrefix(s, "weir@"), strings.HasPrefix(s, "weir-flv@"):
		return newWeir(t, s)
	case s == "nginx":
		return nginx{t}, nil
	case strings.HasPrefix(s, "floor-"):
		return parseFloor(t, s)
	case external:
		url, pid, _ := strings.Cut(rest, ",")
		n, err := strconv.Atoi(pid)
		if err != nil {
			return nil, fmt.Errorf("contender %q: want NAME=URL,PID", s)
		}
		return running{name, url, n}, nil
	}
	return nil, fmt.Errorf("contender %q: want weir, nginx, floor-… or NAME=URL,PID", s)
}

// running is a server that was there before, and stays.
type running struct {
	label, url string
	pid        int
}

func (r running) name() string { return r.label }

func (r running) start(context.Context, load) (*server, error) {
	return &server{url: r.url, pid: r.pid, stop: func() {}}, nil
}
