package interop_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"weir/internal/bench/stamp"
)

// An operator drains a server: its publishers and carried viewers go to the other one,
// each at a key frame, and nobody notices: no frame is lost, doubled or moved in time.
func TestDrainForeignServer(t *testing.T) {
	a, b := startForeign(t, "nginx-a"), startForeign(t, "nginx-b")
	config, list := behindFront(t, "play: carry")
	list(a)
	f := startNode(t, nodeOptions{name: "front", roles: "front", config: config})
	var all []*onAir
	var through []*stamp.Viewer
	var left []<-chan error
	for i := range 5 {
		p := publishFrames(t, f.listening["rtmp"], fmt.Sprint("d", i))
		p.onAir(t)
		v, ended := p.watch(t, "front", f.listening["rtmp"])
		all, through, left = append(all, p), append(through, v), append(left, ended)
	}
	list(a, b)
	eventually(t, "the front takes sessions to b", func() error {
		resp, err := apiClient.Post(f.base+"/api/v1/backends/nginx-b/ready", "", nil)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("%s", resp.Status)
		}
		return nil
	})
	for i, v := range through {
		eventually(t, all[i].name+" plays", func() error {
			if v.Report().Video < 25 {
				return fmt.Errorf("%+v", v.Report())
			}
			return nil
		})
	}
	resp, err := apiClient.Post(f.base+"/api/v1/backends/nginx-a/drain", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatal(resp.Status)
	}
	began := time.Now()
	eventually(t, "nobody is at the drained server", func() error {
		var v struct {
			Sessions struct{ Publishers, Viewers int }
		}
		if err := f.get("/api/v1/backends/nginx-a", &v); err != nil {
			return err
		}
		if s := v.Sessions; s.Publishers+s.Viewers > 0 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	t.Logf("empty after %v", time.Since(began).Round(time.Millisecond))
	for i, v := range through {
		had := v.Report().Video
		eventually(t, all[i].name+" plays on", func() error {
			if r := v.Report(); r.Video < had+25 {
				return fmt.Errorf("%+v", r)
			}
			return nil
		})
		if r := v.Report(); r.Lost+r.Doubled+r.Foreign+r.Backwards > 0 {
			t.Errorf("%s: the viewer saw %s", all[i].name, r.Faults())
		}
		for what, ended := range map[string]<-chan error{"viewer": left[i], "publisher": all[i].ended} {
			select {
			case err := <-ended:
				t.Errorf("%s: the %s was ended: %v", all[i].name, what, err)
			default:
			}
		}
	}
}

// A spliced viewer cannot be moved, and nginx-rtmp keeps the viewers of a stream that has left: it is ended, so
// that its player comes back to where the stream is, and the drained server gets empty.
func TestDrainedServerKeepsNoSplicedViewer(t *testing.T) {
	a, b := startForeign(t, "nginx-a"), startForeign(t, "nginx-b")
	config, list := behindFront(t, "play: splice")
	list(a)
	f := startNode(t, nodeOptions{name: "front", roles: "front", config: config})
	p := publishFrames(t, f.listening["rtmp"], "spliced")
	p.onAir(t)
	v, ended := p.watch(t, "front", f.listening["rtmp"])
	eventually(t, "it plays", func() error {
		if v.Report().Video < 25 {
			return fmt.Errorf("%+v", v.Report())
		}
		return nil
	})
	f.noneCarried(t)
	list(a, b)
	for _, order := range []string{"nginx-b/ready", "nginx-a/drain"} {
		eventually(t, order, func() error {
			resp, err := apiClient.Post(f.base+"/api/v1/backends/"+order, "", nil)
			if err != nil {
				return err
			}
			resp.Body.Close()
			if resp.StatusCode/100 != 2 {
				return fmt.Errorf("%s", resp.Status)
			}
			return nil
		})
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the viewer is left at a server without its stream")
	}
	eventually(t, "the closing line", func() error {
		for _, l := range f.lines("session closed") {
			if l["role"] == "viewer" && l["reason"] == "node-left" && l["ended_by"] == "server" {
				return nil
			}
		}
		return fmt.Errorf("%v", f.lines("session closed"))
	})
	again, _ := p.watch(t, "front", f.listening["rtmp"])
	eventually(t, "it plays again", func() error {
		if again.Report().Video < 25 {
			return fmt.Errorf("%+v", again.Report())
		}
		return nil
	})
	select {
	case err := <-p.ended:
		t.Errorf("the publisher was ended: %v", err)
	default:
	}
}
