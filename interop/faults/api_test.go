package faults_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// api asks a node's admin listener.
type api struct{ base string }

type nodeRecord struct {
	Name      string
	State     string
	Load      struct{ Publishers, Viewers, Sessions, Pulls int }
	Addresses struct{ RTMP string }
}

type streamRecord struct {
	App, Name, Owner, Epoch string
	Edges                   []string
}

var apiClient = http.Client{Timeout: 20 * time.Second}

// token lets the tests in where a node's admin listener is not on the loopback.
const token = "faults"

func (a api) ask(path string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, a.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return apiClient.Do(req)
}

func (a api) get(path string, v any) error {
	resp, err := a.ask(path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	return json.Unmarshal(body, v)
}

func (a api) nodes() ([]nodeRecord, error) {
	var v struct{ Nodes []nodeRecord }
	err := a.get("/api/v1/nodes", &v)
	return v.Nodes, err
}

func (a api) streams() ([]streamRecord, error) {
	var v struct{ Streams []streamRecord }
	err := a.get("/api/v1/streams", &v)
	return v.Streams, err
}

// stream returns the one record of a stream of the app "live".
func (a api) stream(name string) (streamRecord, error) {
	all, err := a.streams()
	if err != nil {
		return streamRecord{}, err
	}
	same := slices.DeleteFunc(all, func(s streamRecord) bool { return s.App != app || s.Name != name })
	if len(same) != 1 {
		return streamRecord{}, fmt.Errorf("%d records of %s/%s", len(same), app, name)
	}
	return same[0], nil
}

// resources are what a node holds while it idles.
type resources struct{ goroutines, descriptors, heap float64 }

func (a api) resources() (r resources, err error) {
	resp, err := a.ask("/metrics")
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	into := map[string]*float64{"go_goroutines": &r.goroutines, "process_open_fds": &r.descriptors, "go_memstats_heap_inuse_bytes": &r.heap}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v := into[name]; v != nil {
			if *v, err = strconv.ParseFloat(value, 64); err != nil {
				return r, err
			}
		}
	}
	if r.goroutines == 0 || r.descriptors == 0 || r.heap == 0 {
		return r, fmt.Errorf("no resources among the metrics: %+v", r)
	}
	return r, nil
}
