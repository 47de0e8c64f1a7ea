package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"weir/internal/proctest"
)

// startTime is how long a program has to listen.
const startTime = 15 * time.Second

// server is one nginx-rtmp.
type server struct {
	name     string
	rtmp     string // host:port
	stat     string // URL
	capacity float64
	p        *proctest.Process
}

const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

// startServers starts an nginx-rtmp for each capacity.
func startServers(ctx context.Context, dir string, capacity []float64) (all []*server, err error) {
	for i, c := range capacity {
		s := &server{name: fmt.Sprintf("nginx%d", i+1), capacity: c}
		if err := s.start(ctx, dir); err != nil {
			stopServers(all)
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func stopServers(all []*server) {
	for _, s := range all {
		s.p.Kill()
	}
}

func (s *server) start(ctx context.Context, dir string) (err error) {
	var web string
	if s.rtmp, err = proctest.FreeAddr(); err != nil {
		return err
	}
	if web, err = proctest.FreeAddr(); err != nil {
		return err
	}
	s.stat = "http://" + web + "/stat"
	conf := filepath.Join(dir, s.name+".conf")
	text := fmt.Sprintf(`load_module %s;
daemon off; worker_processes 1;
error_log stderr crit; pid %s/%s.pid;
events { worker_connections 2000; }
rtmp { server { listen %s; chunk_size 4096; access_log off; application live { live on; } } }
http { access_log off; server { listen %s; location /stat { rtmp_stat all; } } }
`, nginxModule, dir, s.name, s.rtmp, web)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	if s.p, err = run(ctx, s.rtmp, program("nginx"), "-p", dir, "-c", conf); err != nil {
		return err
	}
	if _, err := s.received(ctx); err != nil {
		s.p.Kill()
		return err
	}
	return nil
}

// received is how many bytes the server has received since it began.
func (s *server) received(ctx context.Context) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.stat, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var page struct {
		XMLName xml.Name `xml:"rtmp"`
		In      *int64   `xml:"bytes_in"`
	}
	if err := xml.NewDecoder(resp.Body).Decode(&page); err != nil {
		return 0, fmt.Errorf("%s: %w", s.stat, err)
	}
	if page.In == nil {
		return 0, fmt.Errorf("%s: no bytes_in", s.stat)
	}
	return float64(*page.In), nil
}

// program finds one that is not in everybody's PATH.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}

// run starts a program and waits until it listens.
func run(ctx context.Context, addr string, argv ...string) (*proctest.Process, error) {
	p, err := proctest.Start(new(proctest.Log), argv...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return p, c.Close()
		}
		select {
		case <-tick.C:
		case <-p.Done:
			return nil, fmt.Errorf("%s ended: %s", filepath.Base(argv[0]), strings.TrimSpace(p.Log.Tail(500)))
		case <-ctx.Done():
			p.Kill()
			return nil, fmt.Errorf("%s: %w", filepath.Base(argv[0]), err)
		}
	}
}
