package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"

	"weir/bench/rig"
	"weir/internal/proctest"
)

// server is one nginx-rtmp.
type server struct {
	name     string
	rtmp     string // host:port
	stat     string // URL
	capacity float64
	p        *rig.Program
}

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
		s.p.Stop()
	}
}

func (s *server) start(ctx context.Context, dir string) (err error) {
	web, err := proctest.FreeAddr()
	if err != nil {
		return err
	}
	s.stat = "http://" + web + "/stat"
	stat := fmt.Sprintf("http { access_log off; server { listen %s; location /stat { rtmp_stat all; } } }", web)
	if s.p, s.rtmp, err = rig.Nginx(ctx, dir, "", stat); err != nil {
		return err
	}
	if _, err := s.received(ctx); err != nil {
		s.p.Stop()
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
