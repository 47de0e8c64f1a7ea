package faults_test

import (
	"os"
	"path/filepath"
	"strings"

	"weir/internal/control/store"
)

// embedded starts nodes, "name:role+role", that are the members of the store themselves, and
// waits until each knows the others. dirs are where the data of some are, by name.
func (s *story) embedded(dirs map[string]string, specs ...string) *members {
	s.t.Helper()
	dir, err := os.MkdirTemp(work, "embedded-")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { os.RemoveAll(dir) })
	e := &etcd{s: s, dir: dir}
	for _, spec := range specs {
		name, _, _ := strings.Cut(spec, ":")
		m := &etcdMember{name: name, client: freeAddr(s, nil), peer: freeAddr(s, nil), data: filepath.Join(dir, name)}
		if d := dirs[name]; d != "" {
			m.data = d
		}
		e.members = append(e.members, m)
	}
	if e.client, err = store.NewEtcd(store.EtcdOptions{Endpoints: strings.Split(e.endpoints(), ",")}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { e.client.Close() })
	// What no other node takes is not waited for for long when one is stopped.
	c := &members{s: s, store: e, config: "node: {drain_timeout: 2s}\n"}
	for _, spec := range specs {
		c.launch(spec, nil)
	}
	c.ready()
	return c
}

// flags tell a node where the store is.
func (e *etcd) flags(name string) []string {
	var peers []string
	var self *etcdMember
	for _, m := range e.members {
		peers = append(peers, m.name+"="+m.peer)
		if m.name == name {
			self = m
		}
	}
	if e.client == nil || self == nil {
		return []string{"--store", "etcd", "--store-endpoints", e.endpoints()}
	}
	return []string{"--store", "embedded", "--store-listen", self.client, "--store-dir", self.data, "--store-peers", strings.Join(peers, ",")}
}

// leases are those of the nodes' records, by the node's name.
func (e *etcd) leases() (map[string]store.LeaseID, error) {
	const prefix = keyPrefix + "nodes/"
	kvs, err := e.list(prefix)
	all := map[string]store.LeaseID{}
	for _, kv := range kvs {
		all[strings.TrimPrefix(kv.Key, prefix)] = kv.Lease
	}
	return all, err
}
