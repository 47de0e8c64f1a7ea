// Package storetest starts a real etcd for tests of whatever stands on a store.
package storetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/control/store"
	"weir/internal/proctest"
)

// Etcd is an etcd process of the test's own, on a free port, with its data in
// a temporary directory.
type Etcd struct {
	Endpoint string // host:port

	t    testing.TB
	bin  string
	dir  string
	peer string
	log  *proctest.Log
	p    *proctest.Process // nil when it does not run
}

// StartEtcd starts etcd and waits until it answers. A missing binary fails the
// test: without it nothing is known of the store that operators run.
func StartEtcd(t testing.TB) *Etcd {
	t.Helper()
	bin, err := exec.LookPath("etcd")
	if err != nil {
		bin = "/usr/bin/etcd"
		if _, err := os.Stat(bin); err != nil {
			t.Fatal("no etcd binary: this test needs Debian's etcd-server (apt-get install etcd-server); it is not skipped, because the external store would go untested")
		}
	}
	dir := t.TempDir()
	e := &Etcd{t: t, bin: bin, dir: filepath.Join(dir, "data"), log: new(proctest.Log), Endpoint: proctest.Addr(t), peer: proctest.Addr(t)}
	t.Cleanup(e.Kill)
	e.Start()
	return e
}

// Start starts the process (again), on the same address and data.
func (e *Etcd) Start() {
	e.t.Helper()
	var err error
	e.p, err = proctest.Start(e.log, e.bin, "--name", "test", "--data-dir", e.dir,
		"--listen-client-urls", "http://"+e.Endpoint, "--advertise-client-urls", "http://"+e.Endpoint,
		"--listen-peer-urls", "http://"+e.peer, "--initial-advertise-peer-urls", "http://"+e.peer,
		"--initial-cluster", "test=http://"+e.peer)
	if err != nil {
		e.t.Fatal(err)
	}
	c, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{e.Endpoint}})
	if err != nil {
		e.t.Fatal(err)
	}
	defer c.Close()
	deadline := time.Now().Add(time.Minute)
	for {
		if _, _, err = c.List(context.Background(), "/none/"); err == nil {
			return
		}
		if !e.p.Running() || time.Now().After(deadline) {
			e.t.Fatalf("etcd does not answer: %v\n%s", err, e.log.Tail(4096))
		}
	}
}

// Kill ends the process without warning.
func (e *Etcd) Kill() {
	if e.p == nil {
		return
	}
	e.p.Kill()
	e.p = nil
}

// Wipe deletes the data; the process must not run.
func (e *Etcd) Wipe() {
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Fatal(err)
	}
}

// Snapshot saves a copy of the data of the running process, as an operator does.
func (e *Etcd) Snapshot() {
	e.t.Helper()
	e.control("--endpoints", "http://"+e.Endpoint, "snapshot", "save", e.dir+".snapshot")
}

// Restore puts the copy in the place of the data; the process must not run.
func (e *Etcd) Restore() {
	e.t.Helper()
	e.Wipe()
	e.control("snapshot", "restore", e.dir+".snapshot", "--data-dir", e.dir, "--name", "test",
		"--initial-cluster", "test=http://"+e.peer, "--initial-advertise-peer-urls", "http://"+e.peer)
}

func (e *Etcd) control(args ...string) {
	e.t.Helper()
	cmd := exec.Command("etcdctl", args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	if out, err := cmd.CombinedOutput(); err != nil {
		e.t.Fatalf("etcdctl %s (Debian's etcd-client): %v\n%s", strings.Join(args, " "), err, out)
	}
}
