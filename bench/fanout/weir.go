package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"weir/bench/rig"
)

// weir is this tree's server.
type weir struct {
	t      *tools
	label  string
	config map[string]any
}

// newWeir reads weir@KEY=VALUE,…, where keys are paths with dots.
func newWeir(t *tools, s string) (weir, error) {
	var keys []string
	if _, more, ok := strings.Cut(s, "@"); ok {
		keys = strings.Split(more, ",")
	}
	root := map[string]any{}
	for _, kv := range keys {
		path, value, ok := strings.Cut(kv, "=")
		if !ok {
			return weir{}, fmt.Errorf("contender %q: want weir@KEY=VALUE,…", s)
		}
		at := root
		parts := strings.Split(path, ".")
		for _, key := range parts[:len(parts)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[key] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = scalar(value)
	}
	return weir{t, s, root}, nil
}

// scalar keeps numbers and booleans what they are.
func scalar(s string) any {
	var v any
	if err := json.Unmarshal([]byte(s), &v); err == nil {
		return v
	}
	return s
}

func (w weir) name() string { return w.label }

func (w weir) start(ctx context.Context, _ load) (*server, error) {
	n, err := rig.Weir(ctx, w.t.weir, w.t.dir, w.config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.label, err)
	}
	up := &server{url: "rtmp://" + n.RTMP + "/live/fanout", pid: n.Pid(), stop: n.Stop}
	if strings.HasPrefix(w.label, "weir-flv") {
		up.viewURL = "http://" + n.HTTP + "/live/fanout.flv"
	}
	return up, nil
}
