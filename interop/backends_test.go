package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/proctest"
	"weir/rtmp"
)

// foreign is an nginx-rtmp behind a front.
type foreign struct {
	*process
	name, addr string
}

// startForeign starts one, as its operators run it: without waiting for key frames, with
// waiting players.
func startForeign(t *testing.T, name string) *foreign {
	t.Helper()
	dir, addr := t.TempDir(), proctest.Addr(t)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off; master_process off; error_log stderr warn; pid %s/pid;
events { worker_connections 1024; }
rtmp { server { listen %s; chunk_size 4096; access_log %s/access.log; application live { live on; } } }
`, nginxModule, dir, addr, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &foreign{start(t, name, nginxRTMP(t), "-p", dir, "-c", conf), name, addr}
	eventually(t, name+" listens", accepts(addr))
	return f
}

// behindFront is the configuration of a front with a list of servers in a file, which
// the returned function writes.
func behindFront(t *testing.T, front string) (config string, list func(...*foreign)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "servers.yaml")
	list = func(servers ...*foreign) {
		b := []byte("servers:\n")
		for _, f := range servers {
			b = fmt.Appendf(b, "  - {name: %s, rtmp: \"%s\", kind: nginx-rtmp}\n", f.name, f.addr)
		}
		if err := os.WriteFile(path+".new", b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("front:\n  %s\n  backends:\n    defaults: {check: {kind: tcp, interval: 1s}}\n    file: [%q]\n", front, path), list
}

// frames are the stamped frames of one stream, seen anywhere.
type frames struct {
	mu    sync.Mutex
	seen  map[rtmp.MessageType]map[uint64]uint32 // track → sequence → timestamp
	first map[string]time.Time                   // where → first frame
	wrong []string
}

func newFrames() *frames {
	return &frames{seen: map[rtmp.MessageType]map[uint64]uint32{rtmp.Audio: {}, rtmp.Video: {}}, first: map[string]time.Time{}}
}

// at notes what is seen at one place.
func (f *frames) at(where string) func(*rtmp.Message) {
	magic := stamp.Append(nil, stamp.Stamp{})[:4]
	return func(m *rtmp.Message) {
		i := bytes.Index(m.Payload, magic)
		if i < 0 {
			return
		}
		s, err := stamp.Parse(m.Payload[i:])
		if err != nil {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.first[where].IsZero() {
			f.first[where] = time.Now()
		}
		if ts, ok := f.seen[m.Type][s.Sequence]; ok && ts != m.Timestamp {
			f.wrong = append(f.wrong, fmt.Sprintf("frame %d had time %d, at %s %d", s.Sequence, ts, where, m.Timestamp))
		}
		f.seen[m.Type][s.Sequence] = m.Timestamp
	}
}

// lost counts what was seen nowhere, between the first and the last of each track.
func (f *frames) lost() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, seen := range f.seen {
		least, most := ^uint64(0), uint64(0)
		for s := range seen {
			least, most = min(least, s), max(most, s)
		}
		if len(seen) > 0 {
			n += int(most-least) + 1 - len(seen)
		}
	}
	return n
}

// onAir publishes a stamped stream until the test ends; ended is its error, if it has one.
type onAir struct {
	name string
	*frames
	accepted chan struct{}
	ended    chan error
}

func publishFrames(t *testing.T, addr, name string) *onAir {
	t.Helper()
	ctx := t.Context() // ends before the test's other ends
	p := &onAir{name: name, frames: newFrames(), accepted: make(chan struct{}), ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := stamp.Publish(ctx, stamp.PublishOptions{URL: "rtmp://" + addr + "/live/" + name, Accepted: func() { close(p.accepted) },
			Feed: stamp.NewSource("live/"+name, 1, stamp.Shape{VideoBitrate: 300_000, FrameRate: 25, GOP: time.Second, AudioBitrate: 32_000})})
		p.ended <- err
	}()
	t.Cleanup(func() { <-done })
	return p
}

// taken waits for the answer.
func (p *onAir) onAir(t *testing.T) {
	t.Helper()
	select {
	case <-p.accepted:
	case err := <-p.ended:
		t.Fatalf("%s: %v", p.name, err)
	case <-time.After(patience):
		t.Fatalf("%s is not accepted", p.name)
	}
}

// watch plays the stream at addr until the test ends.
func (p *onAir) watch(t *testing.T, where, addr string) (*stamp.Viewer, <-chan error) {
	t.Helper()
	v, err := stamp.NewViewer(stamp.ViewOptions{URL: "rtmp://" + addr + "/live/" + p.name, Observe: p.at(where)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		ended <- v.Run(ctx)
	}()
	t.Cleanup(func() { <-done })
	return v, ended
}

func (f *frames) since(where string) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at := f.first[where]; !at.IsZero() {
		return at, nil
	}
	return time.Time{}, errors.New("nothing was seen at " + where)
}

// A server dies, or only stops, with ten publishers on it: they go on at the other one
// and notice nothing, and a viewer there has every frame with its own time.
func TestP3ForeignServerDies(t *testing.T) {
	for _, c := range []struct {
		what   string
		signal syscall.Signal
		lost   int // frames a stream that were sent to nobody, at most
	}{
		{"kill -9", syscall.SIGKILL, 0},
		{"SIGSTOP", syscall.SIGSTOP, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			a, b := startForeign(t, "nginx-a"), startForeign(t, "nginx-b")
			config, list := behindFront(t, "play: carry")
			list(a)
			f := startNode(t, nodeOptions{name: "front", roles: "front", config: config})
			var all []*onAir
			var through []*stamp.Viewer
			var left []<-chan error
			for i := range 10 {
				p := publishFrames(t, f.listening["rtmp"], fmt.Sprint("s", i))
				p.onAir(t)
				p.watch(t, "a", a.addr)
				p.watch(t, "b", b.addr)
				v, ended := p.watch(t, "front", f.listening["rtmp"])
				through, left = append(through, v), append(left, ended)
				all = append(all, p)
			}
			list(a, b)
			for _, p := range all {
				eventually(t, p.name+" is at a", func() error { _, err := p.since("a"); return err })
			}
			eventually(t, "the front knows b", func() error {
				if !strings.Contains(string(f.log.From(0)), `"count":2`) {
					return errors.New("not yet")
				}
				return nil
			})
			for i, v := range through {
				eventually(t, all[i].name+" plays", func() error {
					if v.Report().Video == 0 {
						return errors.New("no picture yet")
					}
					return nil
				})
			}
			died := time.Now()
			a.signal(c.signal)
			var worst time.Duration
			for _, p := range all {
				eventually(t, p.name+" goes on at b", func() error { _, err := p.since("b"); return err })
				at, _ := p.since("b")
				worst = max(worst, at.Sub(died))
			}
			t.Logf("the last of ten was at the other server %v after", worst.Round(time.Millisecond))
			last := make([]int, len(through))
			for i, v := range through {
				last[i] = v.Report().Video
			}
			for i, v := range through {
				eventually(t, all[i].name+" plays on", func() error {
					if v.Report().Video < last[i]+50 {
						return fmt.Errorf("%+v", v.Report())
					}
					return nil
				})
				select {
				case err := <-left[i]:
					t.Errorf("%s: the viewer was ended: %v", all[i].name, err)
				default:
				}
				if r := v.Report(); r.Doubled != 0 || r.Foreign != 0 || r.Backwards != 0 {
					t.Errorf("%s: the viewer saw %s", all[i].name, r.Faults())
				}
			}
			for _, p := range all {
				select {
				case err := <-p.ended:
					t.Errorf("%s was ended: %v", p.name, err)
				default:
				}
				if n := p.lost(); n > c.lost || len(p.wrong) > 0 {
					t.Errorf("%s: %d frames lost, %v", p.name, n, p.wrong)
				}
			}
		})
	}
}

// Two fronts share the claim of a stream at a foreign server: a second publisher is
// refused at either, viewers at either find it, and the name is free when it ends.
func TestP1ForeignServersBehindTwoFronts(t *testing.T) {
	a, b := startForeign(t, "nginx-a"), startForeign(t, "nginx-b")
	config, list := behindFront(t, "play: carry")
	list(a, b)
	one := startNode(t, nodeOptions{name: "front1", roles: "front", config: config,
		store: []string{"--store", "embedded", "--store-listen", "127.0.0.1:0", "--store-dir", t.TempDir()}})
	two := startNode(t, nodeOptions{name: "front2", roles: "front", config: config, store: externalStore(one.listening["store"])})
	fronts := []*node{one, two}
	var all []*onAir
	for i := range 6 {
		p := publishFrames(t, fronts[i%2].listening["rtmp"], fmt.Sprint("p", i))
		p.onAir(t)
		all = append(all, p)
	}
	for i, p := range all {
		second := publishFrames(t, fronts[(i+1)%2].listening["rtmp"], p.name)
		var refused *rtmp.StatusError
		select {
		case err := <-second.ended:
			if !errors.As(err, &refused) || refused.Status.Code != rtmp.CodePublishBadName {
				t.Errorf("the second publisher of %s: %v", p.name, err)
			}
		case <-second.accepted:
			t.Errorf("%s has two publishers", p.name)
		case <-time.After(patience):
			t.Errorf("the second publisher of %s has no answer", p.name)
		}
		v, _ := p.watch(t, "other front", fronts[(i+1)%2].listening["rtmp"])
		eventually(t, p.name+" plays at the other front", func() error {
			if r := v.Report(); r.Video < 25 || r.Foreign > 0 {
				return fmt.Errorf("%+v", r)
			}
			return nil
		})
		select {
		case err := <-p.ended:
			t.Errorf("%s was ended: %v", p.name, err)
		default:
		}
	}
	for _, f := range fronts {
		eventually(t, "the listing has the servers, and the viewers of both fronts", func() error {
			streams, err := f.streams()
			if err != nil {
				return err
			}
			for _, st := range streams {
				if st.Backend != a.name && st.Backend != b.name || st.Viewers != 1 {
					return fmt.Errorf("%+v", st)
				}
			}
			if len(streams) != len(all) {
				return fmt.Errorf("%d streams, want %d", len(streams), len(all))
			}
			return nil
		})
	}
}
