package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"

	"weir/internal/proctest"
)

// network is hosts on one switch, with the test on it too. All of it lives in
// network namespaces that processes of ours hold open, so it vanishes with them.
//
//	test (root namespace) ──veth──┐
//	host o1 ───────────────veth───┤ bridge, in a namespace of its own
//	host e1 ───────────────veth───┘
type network struct {
	s      *story
	prefix string // "10.213.N."
	hub    *proctest.Process
	next   int
}

// host is one machine: a network namespace with one address.
type host struct {
	n    *network
	name string // of the switch's port too
	ip   string
	mac  string
	proc *proctest.Process // holds the namespace open
}

// networks counts them, for names.
var networks atomic.Int32

// network makes a switch and connects the test to it.
func (s *story) network() *network {
	s.t.Helper()
	if os.Geteuid() != 0 {
		s.t.Fatal("not root: network namespaces cannot be made, and without them no partition can be shown")
	}
	// The last network may still be vanishing.
	number := networks.Add(1)
	n := &network{s: s, prefix: fmt.Sprintf("10.213.%d.", 1+(os.Getpid()+int(number))%250), next: 1}
	n.hub = n.hold()
	n.in(n.hub, "ip link add br0 type bridge", "ip link set br0 up", "ip link set lo up")
	here := fmt.Sprintf("wf%d.%d", os.Getpid(), number)
	n.run("ip link add " + here + " type veth peer name test netns " + n.pid(n.hub))
	n.run("ip addr add " + n.prefix + "1/24 dev " + here)
	n.run("ip link set " + here + " up")
	n.in(n.hub, "ip link set test master br0 up")
	return n
}

// host connects a new machine.
func (n *network) host(name string) *host {
	n.s.t.Helper()
	n.next++
	h := &host{n: n, name: name, ip: n.prefix + strconv.Itoa(n.next), mac: fmt.Sprintf("02:00:00:00:00:%02x", n.next), proc: n.hold()}
	n.in(n.hub, "ip link add "+name+" type veth peer name eth0 address "+h.mac+" netns "+n.pid(h.proc), "ip link set "+name+" master br0 up")
	n.in(h.proc, "ip link set lo up", "ip addr add "+h.ip+"/24 dev eth0", "ip link set eth0 up", "ip route add default via "+n.prefix+"1")
	return h
}

// cut pulls the cable, mend puts it back. Nobody is told of either.
func (h *host) cut()  { h.n.in(h.n.hub, "ip link set "+h.name+" down") }
func (h *host) mend() { h.n.in(h.n.hub, "ip link set "+h.name+" up") }

// lose makes what h sends to other vanish on the way; other's packets still arrive.
func (h *host) lose(other *host) {
	h.n.in(h.proc, "ip neigh replace "+other.ip+" lladdr 02:00:00:00:ff:ff nud permanent dev eth0")
}

// find undoes lose.
func (h *host) find(other *host) {
	h.n.in(h.proc, "ip neigh replace "+other.ip+" lladdr "+other.mac+" nud reachable dev eth0")
}

// enter is how a command is run on the host.
func (h *host) enter() []string {
	return []string{"nsenter", "--net", "--target", h.n.pid(h.proc), "--"}
}

// hold starts a process in a network namespace of its own.
func (n *network) hold() *proctest.Process {
	n.s.t.Helper()
	log := new(proctest.Log)
	p, err := proctest.Start(log, "unshare", "--net", "sh", "-c", "echo; exec sleep infinity")
	if err != nil {
		n.s.t.Fatalf("network namespaces cannot be made: %v", err)
	}
	n.s.t.Cleanup(p.Kill)
	n.s.eventually(nodeReady, "a network namespace", func() error {
		if !p.Running() {
			n.s.t.Fatalf("network namespaces cannot be made, and without them no partition can be shown: %s", log.Tail(500))
		}
		if log.Len() == 0 {
			return fmt.Errorf("not made yet")
		}
		return nil
	})
	return p
}

func (n *network) pid(p *proctest.Process) string { return strconv.Itoa(p.Pid()) }

// in runs commands in the namespace that p holds.
func (n *network) in(p *proctest.Process, commands ...string) {
	n.s.t.Helper()
	for _, c := range commands {
		n.run("nsenter --net --target " + n.pid(p) + " -- " + c)
	}
}

func (n *network) run(command string) {
	n.s.t.Helper()
	argv := strings.Fields(command)
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		n.s.t.Fatalf("%s: %v: %s", command, err, bytes.TrimSpace(out))
	}
}
