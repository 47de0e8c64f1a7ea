package interop_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// backend is what weir backends --json says of a server.
type backend struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Sessions struct {
		Publishers int `json:"publishers"`
		Viewers    int `json:"viewers"`
	} `json:"sessions"`
}

// backends are the servers behind the front on m.
func (m *machine) backends() map[string]backend {
	m.lab.t.Helper()
	var answer struct{ Backends []backend }
	if err := json.Unmarshal([]byte(m.weir("backends", "--json")), &answer); err != nil {
		m.lab.t.Fatal(err)
	}
	all := map[string]backend{}
	for _, b := range answer.Backends {
		all[b.Name] = b
	}
	return all
}

// up waits until so many servers behind the front on m are up.
func (m *machine) up(n int) {
	m.lab.t.Helper()
	eventually(m.lab.t, fmt.Sprint(n, " servers up"), func() error {
		up := 0
		for _, b := range m.backends() {
			if b.State == "up" {
				up++
			}
		}
		if up != n {
			return fmt.Errorf("%d: %+v", up, m.backends())
		}
		return nil
	})
}

// publishers waits until the servers behind the front on m have so many each, in the order of names.
func (m *machine) publishers(names string, want ...int) {
	m.lab.t.Helper()
	eventually(m.lab.t, "publishers at "+names, func() error {
		all := m.backends()
		for i, name := range strings.Fields(names) {
			if got := all[name].Sessions.Publishers; got != want[i] {
				return fmt.Errorf("%s has %d, not %d: %+v", name, got, want[i], all)
			}
		}
		return nil
	})
}

// where returns the one server that has publishers.
func (m *machine) where() (name string, err error) {
	for _, b := range m.backends() {
		if b.Sessions.Publishers > 0 {
			if name != "" {
				return "", errors.New("two servers have publishers")
			}
			name = b.Name
		}
	}
	if name == "" {
		return "", errors.New("no server has a publisher")
	}
	return name, nil
}

// seeds/000: a balancer before two nginx-rtmp servers that have live streams and files.
func TestDeployNginxPair(t *testing.T) {
	t.Parallel()
	media := t.TempDir()
	l := newLab(t, map[string]string{"balancer": "192.168.56.12", "edge1": "192.168.56.10", "edge2": "192.168.56.11", "client": "192.168.56.20"},
		"/srv/media", media)
	clip := h264Source(t).path
	if _, err := execute(tool(t, "ffmpeg"), "-v", "error", "-i", clip, "-t", "5", "-c", "copy", filepath.Join(media, "clip.mp4")); err != nil {
		t.Fatal(err)
	}
	servers := map[string]*process{}
	for _, name := range []string{"edge1", "edge2"} {
		servers[name] = l.machines[name].nginx("nginx-pair/nginx.conf")
	}
	balancer, client := l.machines["balancer"], l.machines["client"]
	balancer.serve("nginx-pair/weir.yaml")
	balancer.up(2)

	publisher := client.publish(clip, "rtmp://192.168.56.12/live/alice")
	client.plays("rtmp://192.168.56.12/live/alice")
	client.plays("rtmp://192.168.56.12/learnexa/clip.mp4")

	// An address keeps its server.
	second := client.publish(clip, "rtmp://192.168.56.12/live/bob")
	client.plays("rtmp://192.168.56.12/live/bob")
	has, err := balancer.where()
	if err != nil {
		t.Fatal(err)
	}
	if csv := balancer.do(tool(t, "curl"), "-s", "http://127.0.0.1:8081/haproxy;csv"); !strings.HasPrefix(csv, "# pxname,svname,") || !strings.Contains(csv, ","+has+",") {
		t.Errorf("statistics:\n%s", csv)
	}

	// A server dies: its publishers go on at the other one.
	servers[has].kill()
	other := map[string]string{"edge1": "edge2", "edge2": "edge1"}[has]
	balancer.publishers(other, 2)
	client.plays("rtmp://192.168.56.12/live/alice")
	client.plays("rtmp://192.168.56.12/learnexa/clip.mp4")
	for _, p := range []*process{publisher, second} {
		if err := p.running(); err != nil {
			t.Error(err)
		}
	}
}

// seeds/001: servers that take one publisher each, from a list that changes.
func TestDeployServerPerPublisher(t *testing.T) {
	t.Parallel()
	list := t.TempDir()
	addresses := map[string]string{"proxy": "10.0.0.2", "list": "10.0.0.5", "server1": "10.0.0.11", "server2": "10.0.0.12", "server3": "10.0.0.13", "encoder": "10.0.0.20"}
	l := newLab(t, addresses, "/srv/list", list)
	write := func(names ...string) {
		t.Helper()
		var rows []string
		for _, n := range names {
			rows = append(rows, fmt.Sprintf(`{"name": %q, "rtmp": "%s:1935"}`, n, addresses[n]))
		}
		path := filepath.Join(list, "servers.json")
		if err := os.WriteFile(path+".new", []byte(`{"servers": [`+strings.Join(rows, ",")+`]}`), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	first, err := os.ReadFile("../deploy/server-per-publisher/servers.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(list, "servers.json"), first, 0o644); err != nil {
		t.Fatal(err)
	}
	l.machines["list"].nginx("server-per-publisher/list.conf")
	for _, name := range []string{"server1", "server2", "server3"} {
		l.machines[name].nginx("server-per-publisher/nginx.conf")
	}
	proxy, encoder := l.machines["proxy"], l.machines["encoder"]
	proxy.serve("server-per-publisher/weir.yaml")
	proxy.up(2)
	healthy := func(want string) {
		t.Helper()
		eventually(t, "health page says "+want, func() error {
			got, _ := encoder.try(tool(t, "curl"), "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://10.0.0.2:8000/healthz?for=publish")
			if got != want {
				return errors.New(got)
			}
			return nil
		})
	}
	healthy("200")

	clip := h264Source(t).path
	url := "rtmp://10.0.0.2/stream/"
	a, b := encoder.publish(clip, url+"a"), encoder.publish(clip, url+"b")
	proxy.publishers("server1 server2", 1, 1)
	healthy("503")
	full := encoder.publish(clip, url+"c")
	if err := full.wait(patience); err == nil || strings.Contains(err.Error(), "still runs") {
		t.Errorf("a third publisher on two servers: %v", err)
	}

	// A new server is used without a reload.
	write("server1", "server2", "server3")
	proxy.up(3)
	healthy("200")
	c := encoder.publish(clip, url+"c")
	proxy.publishers("server1 server2 server3", 1, 1, 1)

	// Scale-down cuts nobody: without another server the publisher stays, with one it moves.
	proxy.weir("backends", "drain", "server1")
	holds(t, 2*time.Second, "a drained server keeps its publisher", func() error {
		if n := proxy.backends()["server1"].Sessions.Publishers; n != 1 {
			return fmt.Errorf("%d publishers", n)
		}
		return nil
	})
	c.kill()
	proxy.publishers("server1 server2 server3", 0, 1, 1)
	write("server2", "server3")
	eventually(t, "server1 is gone", func() error {
		if _, there := proxy.backends()["server1"]; there {
			return errors.New("it is listed")
		}
		return nil
	})
	for _, p := range []*process{a, b} {
		if err := p.running(); err != nil {
			t.Error(err)
		}
	}
}

// seeds/003: origins, edges, and a balancer with TLS.
func TestDeployOriginsAndEdges(t *testing.T) {
	t.Parallel()
	addresses := map[string]string{"balancer": "10.0.0.10", "origin1": "10.0.1.11", "origin2": "10.0.1.12", "edge1": "10.0.2.11", "edge2": "10.0.2.12", "client": "10.0.3.1"}
	cert, key := certificate(t)
	l := newLab(t, addresses, "/etc/weir/cert.pem", cert, "/etc/weir/key.pem", key)
	start := func(name, file string, flags ...string) *process {
		return l.machines[name].launch("origins-and-edges/"+file, flags...)
	}
	balancer, client := l.machines["balancer"], l.machines["client"]
	nodes := map[string]*process{
		"balancer": start("balancer", "balancer.yaml"),
		"origin1":  start("origin1", "origin.yaml", "--name", "origin1", "--advertise", "10.0.1.11", "--store-listen", "10.0.1.11:2379"),
		"origin2":  start("origin2", "origin.yaml", "--name", "origin2", "--advertise", "10.0.1.12", "--store-listen", "10.0.1.12:2379"),
		"edge1":    start("edge1", "edge.yaml", "--name", "edge1", "--advertise", "10.0.2.11"),
		"edge2":    start("edge2", "edge.yaml", "--name", "edge2", "--advertise", "10.0.2.12"),
	}
	for name, p := range nodes {
		l.machines[name].ready(p)
	}
	eventually(t, "five nodes", func() error {
		if out := balancer.weir("nodes"); strings.Count(out, "\n") < 5 {
			return errors.New(out)
		}
		return nil
	})

	publisher := client.publish(h264Source(t).path, "rtmp://10.0.0.10/live/alice")
	client.plays("rtmp://10.0.0.10/live/alice")
	client.plays("rtmps://10.0.0.10:1936/live/alice")
	curl := tool(t, "curl")
	if got := client.do(curl, "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "http://10.0.0.10/live/alice.flv"); got != "308 https://10.0.0.10/live/alice.flv" {
		t.Errorf("plain HTTP: %s", got)
	}
	flv := filepath.Join(t.TempDir(), "alice.flv")
	client.try(curl, "-s", "-k", "--max-time", "3", "-o", flv, "https://10.0.0.10/live/alice.flv")
	client.plays(flv)

	// The origin that has the stream dies: nobody is dropped.
	var streams struct{ Streams []struct{ Owner string } }
	if err := json.Unmarshal([]byte(balancer.weir("streams", "--json")), &streams); err != nil || len(streams.Streams) != 1 {
		t.Fatalf("%v %+v", err, streams)
	}
	nodes[streams.Streams[0].Owner].kill()
	client.plays("rtmp://10.0.0.10/live/alice")
	if err := publisher.running(); err != nil {
		t.Error(err)
	}
}

// The file for Ant Media cannot be run here; it has to be right.
func TestDeployAntMediaChecks(t *testing.T) {
	cert, key := certificate(t)
	l := &lab{t: t, replace: strings.NewReplacer("/etc/weir/cert.pem", cert, "/etc/weir/key.pem", key)}
	if out, err := execute(weirBinary(t), "check", "-c", (&machine{lab: l}).file("origins-and-edges/ant-media.yaml")); err != nil {
		t.Error(err, string(out))
	}
}
