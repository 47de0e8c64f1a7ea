package interop_test

import (
	"fmt"
	"testing"

	"weir/internal/proctest"
)

// cluster is one front, two origins and two edges on one store.
type cluster struct{ front, o1, o2, e1, e2 *node }

func (c *cluster) all() []*node { return []*node{c.front, c.o1, c.o2, c.e1, c.e2} }

// startCluster starts a cluster whose front runs an embedded etcd. config is every
// node's file.
func startCluster(t *testing.T, config string) *cluster {
	t.Helper()
	front := startNode(t, nodeOptions{name: "front", roles: "front", config: config,
		store: []string{"--store", "embedded", "--store-listen", "127.0.0.1:0", "--store-dir", t.TempDir()}})
	if front.listening["store"] == "" {
		t.Fatalf("the front has not logged its store's address: %v", front.listening)
	}
	return join(t, front, config, externalStore(front.listening["store"]))
}

// startEtcdCluster starts a cluster on Debian's etcd.
func startEtcdCluster(t *testing.T, config string) *cluster {
	t.Helper()
	store := externalStore(startEtcd(t))
	front := startNode(t, nodeOptions{name: "front", roles: "front", config: config, store: store})
	return join(t, front, config, store)
}

func externalStore(endpoint string) []string {
	return []string{"--store", "etcd", "--store-endpoints", endpoint}
}

// join starts the other nodes, all at once, and waits until the front knows them.
func join(t *testing.T, front *node, config string, store []string) *cluster {
	t.Helper()
	c := &cluster{front: front}
	others := []struct {
		name, role string
		to         **node
	}{
		{"o1", "origin", &c.o1}, {"o2", "origin", &c.o2}, {"e1", "edge", &c.e1}, {"e2", "edge", &c.e2},
	}
	for _, n := range others {
		*n.to = launchNode(t, nodeOptions{name: n.name, roles: n.role, config: config, store: store})
	}
	for _, n := range others {
		(*n.to).ready(t)
	}
	for _, n := range c.all() {
		eventually(t, n.name+" knows every node", func() error {
			nodes, err := n.nodes()
			if err != nil {
				return err
			}
			up := 0
			for _, r := range nodes {
				if r.State == "up" {
					up++
				}
			}
			if up != len(c.all()) || len(nodes) != up {
				return fmt.Errorf("%d nodes up of %d: %+v", up, len(nodes), nodes)
			}
			return nil
		})
	}
	return c
}

// startEtcd starts Debian's etcd-server and returns its client address.
func startEtcd(t *testing.T) string {
	t.Helper()
	client, peer := "http://"+proctest.Addr(t), "http://"+proctest.Addr(t)
	start(t, "etcd", tool(t, "etcd"), "--data-dir", t.TempDir(), "--name", "etcd",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "etcd="+peer)
	eventually(t, "etcd is healthy", func() error {
		var v struct{ Health string }
		if err := (&api{base: client}).get("/health", &v); err != nil {
			return err
		}
		if v.Health != "true" {
			return fmt.Errorf("health %q", v.Health)
		}
		return nil
	})
	return client[len("http://"):]
}
