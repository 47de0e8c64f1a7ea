package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// members are the nodes of a cluster, by name: front… origin… edge….
type members struct {
	s      *story
	store  *etcd
	config string // of every node, YAML
	all    []*node
}

// cluster starts an etcd of so many members and the nodes, "name:role" or
// "name:role+role", and waits until each knows the others.
func (s *story) cluster(store int, names ...string) *members {
	s.t.Helper()
	c := &members{s: s, store: s.startEtcd(store, nil)}
	for _, n := range names {
		c.launch(n, nil)
	}
	c.ready()
	return c
}

// launch starts a node without waiting for it.
func (c *members) launch(spec string, h *host) *node {
	c.s.t.Helper()
	n := c.process(spec, h)
	c.all = append(c.all, n)
	return n
}

// process starts a node that is not counted as a member.
func (c *members) process(spec string, h *host, prepare ...func(*node)) *node {
	c.s.t.Helper()
	name, roles, _ := strings.Cut(spec, ":")
	file := filepath.Join(c.s.t.TempDir(), name+".yaml")
	if err := os.WriteFile(file, []byte("admin: {token: "+token+"}\n"+c.config), 0o600); err != nil {
		c.s.t.Fatal(err)
	}
	n := &node{s: c.s, name: name, roles: strings.ReplaceAll(roles, "+", ","), host: h, listening: map[string]string{},
		argv: append([]string{"-c", file, "--http", ""}, c.store.flags(name)...)}
	c.s.mu.Lock()
	c.s.nodes = append(c.s.nodes, n)
	c.s.mu.Unlock()
	for _, f := range prepare {
		f(n)
	}
	n.start()
	return n
}

// ready waits until every node knows that every other is up.
func (c *members) ready() {
	c.s.t.Helper()
	for _, n := range c.all {
		n.ready()
	}
	c.settled()
}

// settled waits until every node knows that every other is up.
func (c *members) settled() {
	c.s.t.Helper()
	for _, n := range c.all {
		c.s.eventually(15*time.Second, n.name+" knows every node", func() error {
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
			if up != len(c.all) || len(nodes) != up {
				return fmt.Errorf("%d nodes up of %d: %+v", up, len(nodes), nodes)
			}
			return nil
		})
	}
}

func (c *members) node(name string) *node {
	for _, n := range c.all {
		if n.name == name {
			return n
		}
	}
	c.s.t.Fatalf("no node %q in the cluster", name)
	return nil
}

// owner waits until a node says who owns the stream, and returns that node.
func (c *members) owner(ask, name string) *node {
	c.s.t.Helper()
	var rec streamRecord
	c.s.eventually(15*time.Second, name+" has an owner", func() (err error) {
		if rec, err = c.node(ask).stream(name); err == nil && rec.Owner == "" {
			err = fmt.Errorf("none yet: %+v", rec)
		}
		return err
	})
	return c.node(rec.Owner)
}

// pulled is the condition that exactly these nodes pull the stream.
func (c *members) pulled(ask, name string, by ...string) func() error {
	slices.Sort(by)
	return func() error {
		rec, err := c.node(ask).stream(name)
		if err != nil {
			return err
		}
		if slices.Sort(rec.Edges); !slices.Equal(rec.Edges, by) {
			return fmt.Errorf("%s is pulled by %v, want %v", name, rec.Edges, by)
		}
		return nil
	}
}

// truth is the condition that every node that is up says the same of each
// stream: its owner is who it is to be, and there are no others.
func (c *members) truth(owners map[string]string, except ...string) func() error {
	return func() error {
		for _, n := range c.all {
			if slices.Contains(except, n.name) {
				continue
			}
			all, err := n.streams()
			if err != nil {
				return fmt.Errorf("%s: %w", n.name, err)
			}
			got := map[string]string{}
			for _, r := range all {
				got[r.Name] += r.Owner
			}
			for name, owner := range owners {
				if got[name] != owner {
					return fmt.Errorf("%s says that %s is owned by %q, not %q", n.name, name, got[name], owner)
				}
			}
			if len(got) != len(owners) {
				return fmt.Errorf("%s lists %d streams, want %d: %v", n.name, len(got), len(owners), got)
			}
		}
		return nil
	}
}
