package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"weir/internal/control/store"
	"weir/internal/proctest"
)

// etcd is a cluster of Debian's etcd.
type etcd struct {
	s       *story
	dir     string
	members []*etcdMember
	client  *store.Etcd // of members that are nodes; nil: they are etcd's own processes
}

type etcdMember struct {
	name, client, peer, data string
	host                     *host
	proc                     *proctest.Process
}

// startEtcd starts so many members and waits until they answer. They are on h, or on
// the loopback.
func (s *story) startEtcd(n int, h *host) *etcd {
	s.t.Helper()
	for _, tool := range []string{"etcd", "etcdctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			s.t.Fatalf("%s is missing (apt-get install etcd-server etcd-client): no fault of the store can be shown without it", tool)
		}
	}
	// Not the test's directory: that is removed before its processes end.
	dir, err := os.MkdirTemp(work, "etcd-")
	if err != nil {
		s.t.Fatal(err)
	}
	e := &etcd{s: s, dir: dir}
	for i := range n {
		name := fmt.Sprint("s", i+1)
		e.members = append(e.members, &etcdMember{name: name, host: h, data: filepath.Join(dir, name),
			client: freeAddr(s, h), peer: freeAddr(s, h)})
	}
	s.t.Cleanup(func() {
		e.kill()
		os.RemoveAll(dir)
	})
	e.start()
	return e
}

// freeAddr is an address of this machine, or of h, that nobody listens on.
func freeAddr(s *story, h *host) string {
	s.t.Helper()
	addr := proctest.Addr(s.t)
	if h == nil {
		return addr
	}
	_, port, _ := net.SplitHostPort(addr)
	return net.JoinHostPort(h.ip, port) // a host has every port to itself
}

func (e *etcd) endpoints() string {
	var all []string
	for _, m := range e.members {
		all = append(all, m.client)
	}
	return strings.Join(all, ",")
}

func (e *etcd) initial() string {
	var all []string
	for _, m := range e.members {
		all = append(all, m.name+"=http://"+m.peer)
	}
	return strings.Join(all, ",")
}

// start runs all members that do not run, and waits until they answer.
func (e *etcd) start() {
	e.s.t.Helper()
	for _, m := range e.members {
		if m.proc != nil {
			continue
		}
		argv := []string{"etcd", "--name", m.name, "--data-dir", m.data,
			"--listen-client-urls", "http://" + m.client, "--advertise-client-urls", "http://" + m.client,
			"--listen-peer-urls", "http://" + m.peer, "--initial-advertise-peer-urls", "http://" + m.peer,
			"--initial-cluster", e.initial(), "--heartbeat-interval", "100", "--election-timeout", "1000"}
		if m.host != nil {
			argv = append(m.host.enter(), argv...)
		}
		var err error
		if m.proc, err = proctest.Start(new(proctest.Log), argv...); err != nil {
			e.s.t.Fatal(err)
		}
	}
	for _, m := range e.members {
		e.s.eventually(20*time.Second, "the store's member "+m.name+" is healthy", m.healthy)
	}
}

func (m *etcdMember) healthy() error {
	var v struct{ Health string }
	if err := (api{base: "http://" + m.client}).get("/health", &v); err != nil {
		return fmt.Errorf("%w\n%s", err, m.proc.Log.Tail(500))
	}
	if v.Health != "true" {
		return fmt.Errorf("health %q", v.Health)
	}
	return nil
}

// leader is the member that leads now.
func (e *etcd) leader() *etcdMember {
	e.s.t.Helper()
	for _, m := range e.members {
		resp, err := apiClient.Post("http://"+m.client+"/v3/maintenance/status", "application/json", strings.NewReader("{}"))
		if err != nil {
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		var st struct {
			Header struct {
				Member string `json:"member_id"`
			}
			Leader string
		}
		if resp.StatusCode == http.StatusOK && json.Unmarshal(body, &st) == nil && st.Leader != "" && st.Leader == st.Header.Member {
			return m
		}
	}
	e.s.t.Fatal("no member of the store says that it leads")
	return nil
}

// owners is the condition that the store itself says who owns each stream, and
// knows no others: what nodes say they may know from memory.
func (e *etcd) owners(want map[string]string) error {
	const prefix = keyPrefix + "streams/"
	kvs, err := e.list(prefix)
	if err != nil {
		return err
	}
	got := map[string]string{}
	for _, kv := range kvs {
		var record struct{ Owner string }
		if err := json.Unmarshal(kv.Value, &record); err != nil {
			return fmt.Errorf("record %s: %w", kv.Key, err)
		}
		got[strings.TrimPrefix(kv.Key, prefix+app+"/")] = record.Owner
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("the store says %v, want %v", got, want)
	}
	return nil
}

// keyPrefix of all that Weir writes.
const keyPrefix = "/weir/1/"

// list asks the store for the keys with a prefix.
func (e *etcd) list(prefix string) (kvs []store.KV, err error) {
	if e.client != nil {
		kvs, _, err = e.client.List(e.s.t.Context(), prefix)
		return kvs, err
	}
	ask, err := json.Marshal(map[string][]byte{"key": []byte(prefix), "range_end": []byte(prefix[:len(prefix)-1] + "0")})
	if err != nil {
		return nil, err
	}
	resp, err := apiClient.Post("http://"+e.members[0].client+"/v3/kv/range", "application/json", bytes.NewReader(ask))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		KVs []struct{ Key, Value []byte } `json:"kvs"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the store: %s: %v", resp.Status, err)
	}
	for _, kv := range answer.KVs {
		kvs = append(kvs, store.KV{Key: string(kv.Key), Value: kv.Value})
	}
	return kvs, nil
}
