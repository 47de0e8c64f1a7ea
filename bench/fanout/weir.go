package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// weir is this tree's server.
type weir struct {
	t      *tools
	label  string
	config string // YAML
}

// newWeir reads weir@KEY=VALUE,…, where keys are paths with dots.
func newWeir(t *tools, s string) (weir, error) {
	// One machine plays all viewers, so the limit on connections per address has to go.
	keys := []string{"limits.connections_per_address=20000", "node.log_format=json", "http.listen=127.0.0.1:0", "admin.listen=127.0.0.1:0"}
	if _, more, ok := strings.Cut(s, "@"); ok {
		keys = append(keys, strings.Split(more, ",")...)
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
	config, err := json.Marshal(root) // which is YAML
	return weir{t, s, string(config)}, err
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
	path := filepath.Join(w.t.dir, "weir.yaml")
	if err := os.WriteFile(path, []byte(w.config), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(w.t.weir, "serve", "-c", path, "--rtmp", "127.0.0.1:0")
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	stop, err := child(cmd)
	if err != nil {
		return nil, err
	}
	var addr, http, last string
	err = firstLine(log, func(line string) bool {
		var entry struct{ Msg, What, Addr string }
		last = line
		if json.Unmarshal([]byte(line), &entry) != nil {
			return false
		}
		if entry.What == "rtmp" && entry.Addr != "" {
			addr = entry.Addr
		}
		if entry.What == "http" && entry.Addr != "" {
			http = entry.Addr
		}
		return entry.Msg == "ready"
	})
	if err == nil && addr == "" {
		err = fmt.Errorf("the log names no rtmp address")
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("%s: %w: %s", w.label, err, last)
	}
	up := &server{url: "rtmp://" + addr + "/live/fanout", pid: cmd.Process.Pid, stop: stop}
	if strings.HasPrefix(w.label, "weir-flv") {
		up.viewURL = "http://" + http + "/live/fanout.flv"
	}
	return up, nil
}
