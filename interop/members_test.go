package interop_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/proctest"
)

// members are three nodes that keep the store among themselves, as the documentation has it: --store embedded
// and the same --store-peers for all.
type members struct {
	t     *testing.T
	dir   string
	peers map[string]string // HOST:PORT of each
	nodes map[string]*node  // the last process of each
}

func newMembers(t *testing.T) *members {
	t.Helper()
	m := &members{t: t, dir: t.TempDir(), peers: map[string]string{}, nodes: map[string]*node{}}
	for _, name := range []string{"n1", "n2", "n3"} {
		m.peers[name] = proctest.Addr(t)
	}
	return m
}

// data is where a member's store is.
func (m *members) data(name string) string { return filepath.Join(m.dir, name) }

// launch starts members, one after another, and does not wait for them.
func (m *members) launch(names ...string) {
	m.t.Helper()
	var peers []string
	for _, name := range []string{"n1", "n2", "n3"} {
		peers = append(peers, name+"="+m.peers[name])
	}
	for _, name := range names {
		m.nodes[name] = launchNode(m.t, nodeOptions{name: name, roles: "front,origin,edge", config: "node: {drain_timeout: 0s}\n", store: []string{"--store", "embedded",
			"--store-listen", "127.0.0.1:0", "--store-dir", m.data(name), "--store-peers", strings.Join(peers, ",")}})
	}
}

// ready waits until these are, and all three nodes are known to each of them.
func (m *members) ready(names ...string) {
	m.t.Helper()
	for _, name := range names {
		m.nodes[name].ready(m.t)
	}
	for _, name := range names {
		eventually(m.t, name+" knows every node", func() error {
			nodes, err := m.nodes[name].nodes()
			if err == nil && len(nodes) != 3 {
				err = fmt.Errorf("%+v", nodes)
			}
			return err
		})
	}
}

// says waits until a member's log has said all of it in one line.
func (m *members) says(name string, words ...string) {
	m.t.Helper()
	eventually(m.t, name+" says "+strings.Join(words, " … "), func() error {
		if err := m.nodes[name].running(); err != nil {
			m.t.Fatal(err)
		}
	lines:
		for line := range strings.Lines(m.nodes[name].log.String()) {
			for _, word := range words {
				if !strings.Contains(line, word) {
					continue lines
				}
			}
			return nil
		}
		return errors.New("not yet")
	})
}

// leads reports whether a member leads the others.
func (m *members) leads(name string) (bool, error) {
	resp, err := apiClient.Get("http://" + m.nodes[name].listening["store"] + "/metrics")
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && !strings.Contains(string(text), "\netcd_server_has_leader 1\n") {
		err = errors.New(name + " knows no leader")
	}
	return strings.Contains(string(text), "\netcd_server_is_leader 1\n"), err
}

// leader returns the member that leads, and the others.
func (m *members) leader() (leader string, others []string) {
	m.t.Helper()
	eventually(m.t, "one member leads", func() error {
		leader, others = "", nil
		for _, name := range []string{"n1", "n2", "n3"} {
			switch leads, err := m.leads(name); {
			case err != nil:
				return err
			case leads && leader != "":
				return errors.New("two do")
			case leads:
				leader = name
			default:
				others = append(others, name)
			}
		}
		if leader == "" {
			return errors.New("none does")
		}
		return nil
	})
	return leader, others
}

// whole waits until each member knows of three, all of which have run.
func (m *members) whole() {
	m.t.Helper()
	for name, peer := range m.peers {
		eventually(m.t, name+" is one of three members", func() error {
			var all []struct {
				Name       string   `json:"name"`
				ClientURLs []string `json:"clientURLs"`
			}
			if err := (&api{base: "http://" + peer}).get("/members", &all); err != nil {
				return err
			}
			for _, a := range all {
				if len(a.ClientURLs) == 0 {
					return fmt.Errorf("%+v", all)
				}
			}
			if len(all) != 3 {
				return fmt.Errorf("%d members: %+v", len(all), all)
			}
			return nil
		})
	}
}

// publish publishes through one member, and has another play it: they know of it through the store.
func (m *members) publish(stream, through, at string) (*onAir, *stamp.Viewer, string) {
	m.t.Helper()
	p := publishFrames(m.t, m.nodes[through].listening["rtmp"], stream)
	p.onAir(m.t)
	// Accepted while the members choose a leader it is confirmed later.
	var incarnation string
	eventually(m.t, stream+" is confirmed", func() error {
		record := m.nodes[at].published(m.t, "live", stream)
		if incarnation, _, _ = strings.Cut(record.Epoch, "."); incarnation == "0" {
			return fmt.Errorf("epoch %s", record.Epoch)
		}
		return nil
	})
	v, _ := p.watch(m.t, at, m.nodes[at].listening["rtmp"])
	m.plays(v, 0)
	return p, v, incarnation
}

// plays waits until a viewer has had 25 pictures more than had.
func (m *members) plays(v *stamp.Viewer, had int) {
	m.t.Helper()
	eventually(m.t, "the stream plays", func() error {
		if r := v.Report(); r.Video < had+25 || r.Foreign > 0 {
			return fmt.Errorf("%+v, had %d", r, had)
		}
		return nil
	})
}

// goesOn checks that neither publisher nor viewer was touched.
func (m *members) goesOn(p *onAir, v *stamp.Viewer) {
	m.t.Helper()
	m.plays(v, v.Report().Video)
	select {
	case err := <-p.ended:
		m.t.Fatalf("%s: the publisher was closed: %v", p.name, err)
	default:
	}
}

// P2: three nodes with --store embedded and --store-peers, started one after another, need two of them.
func TestP2ThreeEmbeddedMembers(t *testing.T) {
	m := newMembers(t)
	m.launch("n3")
	m.says("n3", "a new cluster begins when all of its members are there", "n1 n2")
	m.nodes["n3"].signal(syscall.SIGTERM)
	if err := m.nodes["n3"].wait(patience); err != nil {
		t.Fatalf("while it waited: %v", err)
	}
	m.launch("n3")
	m.says("n3", "a new cluster begins when all of its members are there", "n1 n2")
	m.launch("n1", "n2")
	m.ready("n1", "n2", "n3")

	leader, others := m.leader()
	p, v, before := m.publish("through", others[0], others[1])
	m.nodes[leader].kill()
	m.goesOn(p, v)
	_, late, _ := m.publish("late", others[1], others[0])
	m.plays(late, late.Report().Video)

	m.launch(leader)
	m.ready(leader)
	m.whole()
	again, _ := p.watch(t, leader, m.nodes[leader].listening["rtmp"])
	m.plays(again, 0)
	m.goesOn(p, v)

	for _, name := range []string{"n1", "n2", "n3"} {
		m.nodes[name].signal(syscall.SIGTERM)
	}
	for _, name := range []string{"n1", "n2", "n3"} {
		if err := m.nodes[name].wait(patience); err != nil {
			t.Fatal(err)
		}
	}
	m.launch("n2", "n3", "n1")
	m.ready("n1", "n2", "n3")
	if _, _, after := m.publish("after", "n1", "n2"); after != before {
		t.Errorf("the store began anew: incarnation %s, was %s", after, before)
	}
}

// P2: a member comes back with an empty disk. The others take it in again, and it counts.
func TestP2AMemberThatLostItsDisk(t *testing.T) {
	m := newMembers(t)
	m.launch("n1", "n2", "n3")
	m.ready("n1", "n2", "n3")
	leader, others := m.leader()
	p, v, before := m.publish("through", others[1], others[1])
	lost, old := others[0], t.TempDir()
	for range 2 { // the second time its number is not the first one's
		m.nodes[lost].kill()
		if err := os.Rename(m.data(lost), filepath.Join(old, "data")); err != nil {
			t.Fatal(err)
		}
		m.launch(lost)
		m.ready(lost)
		m.says(lost, "waiting until the others take it in again")
		m.whole()
		m.goesOn(p, v)
		if err := os.RemoveAll(filepath.Join(old, "older")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(old, "data"), filepath.Join(old, "older")); err != nil {
			t.Fatal(err)
		}
	}
	// It votes: without the leader, it is one of the two that are needed.
	m.nodes[leader].kill()
	if _, _, after := m.publish("late", lost, others[1]); after != before {
		t.Errorf("the store began anew: incarnation %s, was %s", after, before)
	}
	m.launch(leader)
	m.ready(leader)

	// The old disk turns up. What is on it is of no use, and no danger.
	m.nodes[lost].kill()
	if err := os.RemoveAll(m.data(lost)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(old, "older"), m.data(lost)); err != nil {
		t.Fatal(err)
	}
	m.launch(lost)
	if err := m.nodes[lost].wait(patience); err == nil || !strings.Contains(err.Error(), "the cluster has replaced this member") {
		t.Errorf("with the old disk: %v", err)
	}
	m.goesOn(p, v)
}

// P2: two of three members have lost their disks. They never begin a cluster of their own, be the third there or not,
// and the log says what to do; that helps.
func TestP2TwoMembersThatLostTheirDisks(t *testing.T) {
	m := newMembers(t)
	m.launch("n1", "n2", "n3")
	m.ready("n1", "n2", "n3")
	p, v, _ := m.publish("through", "n3", "n3")
	lose := func(name string) {
		t.Helper()
		m.nodes[name].kill()
		if err := os.RemoveAll(m.data(name)); err != nil {
			t.Fatal(err)
		}
	}
	lose("n1")
	lose("n2")
	m.launch("n1", "n2")
	const what = "the store has lost the data of so many members"
	for name, of := range map[string]string{"n1": "n1 n2", "n2": "n1 n2", "n3": "n1 n2"} {
		m.says(name, what, of, "move its store.dir away")
	}
	m.goesOn(p, v)
	m.nodes["n3"].kill()
	m.says("n1", "a new cluster begins when all of its members are there", "n3")
	holds(t, 3*time.Second, "no store without the third", func() error {
		for _, name := range []string{"n1", "n2"} {
			if strings.Contains(m.nodes[name].log.String(), `"msg":"ready"`) {
				return errors.New(name + " is ready")
			}
		}
		return nil
	})
	// As the log says.
	lose("n3")
	m.launch("n3")
	m.ready("n1", "n2", "n3")
	m.publish("after", "n1", "n2")
}
