package rig

import (
	"context"
	"encoding/json"
	"errors"
)

// Node is a Weir that runs, and where it listens.
type Node struct {
	*Program
	RTMP, HTTP string
}

// Weir starts a server with a configuration, on ports of its own. One machine plays all viewers, so
// the limit on connections per address is out of the way.
func Weir(ctx context.Context, binary, dir string, config map[string]any) (*Node, error) {
	all := map[string]any{
		"limits": map[string]any{"connections_per_address": 20000},
		"http":   map[string]any{"listen": "127.0.0.1:0"},
		"admin":  map[string]any{"listen": "127.0.0.1:0"},
	}
	merge(all, config)
	raw, err := json.Marshal(all) // which is YAML
	if err != nil {
		return nil, err
	}
	path, err := write(dir, raw)
	if err != nil {
		return nil, err
	}
	n := &Node{}
	n.Program, err = Saying(ctx, n.hear, binary, "serve", "-c", path, "--rtmp", "127.0.0.1:0", "--log-format", "json")
	if err == nil && n.RTMP == "" {
		n.Stop()
		err = errors.New("weir: the log names no rtmp address")
	}
	return n, err
}

// hear reads a line of the log, and reports whether it says that all listen.
func (n *Node) hear(line []byte) bool {
	var entry struct{ Msg, What, Addr string }
	if json.Unmarshal(line, &entry) != nil {
		return false
	}
	switch {
	case entry.Addr == "":
	case entry.What == "rtmp":
		n.RTMP = entry.Addr
	case entry.What == "http":
		n.HTTP = entry.Addr
	}
	return entry.Msg == "ready"
}

// merge puts what is in from over what is in into, section by section.
func merge(into, from map[string]any) {
	for key, value := range from {
		over, ok := value.(map[string]any)
		under, also := into[key].(map[string]any)
		if ok && also {
			merge(under, over)
		} else {
			into[key] = value
		}
	}
}
