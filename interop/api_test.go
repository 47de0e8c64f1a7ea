package interop_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// api asks a node's admin listener. Its types are written down here again and not
// imported: what they pin is the JSON.
type api struct{ base string }

type nodeRecord struct {
	Name  string
	Roles []string
	State string
	Load  struct{ Publishers, Viewers, Sessions, Pulls int }
}

type streamRecord struct {
	App, Name, Owner, Epoch string
	Backend                 string
	Edges                   []string
	Viewers                 int
	Publisher               *struct{ Remote, Encoder string }
	Tracks                  []struct{ Kind, Codec string }
	Bitrate                 int64
	Since                   time.Time
}

var apiClient = http.Client{Timeout: patience}

func (a *api) get(path string, v any) error {
	resp, err := apiClient.Get(a.base + path)
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
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("GET %s: %w: %s", path, err, body)
	}
	return nil
}

func (a *api) nodes() ([]nodeRecord, error) {
	var v struct{ Nodes []nodeRecord }
	err := a.get("/api/v1/nodes", &v)
	return v.Nodes, err
}

func (a *api) streams() ([]streamRecord, error) {
	var v struct{ Streams []streamRecord }
	err := a.get("/api/v1/streams", &v)
	return v.Streams, err
}

// stream returns the one record of a stream; two are as wrong as none.
func (a *api) stream(app, name string) (streamRecord, error) {
	all, err := a.streams()
	if err != nil {
		return streamRecord{}, err
	}
	same := slices.DeleteFunc(slices.Clone(all), func(s streamRecord) bool { return s.App != app || s.Name != name })
	if len(same) != 1 {
		return streamRecord{}, fmt.Errorf("%d records of %s/%s among %d streams", len(same), app, name, len(all))
	}
	return same[0], nil
}

// published waits until the stream has an owner and a publisher, and returns it.
func (a *api) published(t *testing.T, app, name string) streamRecord {
	t.Helper()
	var s streamRecord
	eventually(t, fmt.Sprintf("%s/%s published", app, name), func() (err error) {
		s, err = a.stream(app, name)
		if err == nil && (s.Owner == "" || s.Publisher == nil) {
			err = fmt.Errorf("no publisher yet: %+v", s)
		}
		return err
	})
	return s
}

// pullers is the condition that exactly these nodes carry the stream, each with one
// pull.
func (a *api) pullers(app, name string, want ...string) func() error {
	return func() error {
		s, err := a.stream(app, name)
		if err != nil {
			return err
		}
		edges := slices.Sorted(slices.Values(s.Edges))
		if !slices.Equal(edges, slices.Sorted(slices.Values(want))) {
			return fmt.Errorf("pulled by %v, want %v", edges, want)
		}
		nodes, err := a.nodes()
		if err != nil {
			return err
		}
		for _, n := range nodes {
			pulls := 0
			if slices.Contains(want, n.Name) {
				pulls = 1
			}
			if n.Load.Pulls != pulls {
				return fmt.Errorf("%s reports %d pulls, want %d", n.Name, n.Load.Pulls, pulls)
			}
		}
		return nil
	}
}
