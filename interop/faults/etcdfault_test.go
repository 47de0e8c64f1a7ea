package faults_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func (m *etcdMember) kill() {
	m.proc.Signal(syscall.SIGKILL)
	<-m.proc.Done
	m.proc = nil
}

// kill ends every member at once.
func (e *etcd) kill() {
	for _, m := range e.members {
		if m.proc != nil {
			m.proc.Signal(syscall.SIGKILL)
		}
	}
	for _, m := range e.members {
		if m.proc != nil {
			m.kill()
		}
	}
}

func (e *etcd) freeze() {
	for _, m := range e.members {
		m.proc.Freeze()
	}
}

func (e *etcd) thaw() {
	for _, m := range e.members {
		m.proc.Thaw()
	}
}

// wipe forgets everything; the members must not run.
func (e *etcd) wipe() {
	e.s.t.Helper()
	for _, m := range e.members {
		if err := os.RemoveAll(m.data); err != nil {
			e.s.t.Fatal(err)
		}
	}
}

// save takes a snapshot.
func (e *etcd) save() {
	e.s.t.Helper()
	e.control("--endpoints", "http://"+e.members[0].client, "snapshot", "save", filepath.Join(e.dir, "snapshot"))
}

// restore puts the snapshot in the place of the data; the members must not run.
func (e *etcd) restore() {
	e.s.t.Helper()
	e.wipe()
	for _, m := range e.members {
		e.control("snapshot", "restore", filepath.Join(e.dir, "snapshot"), "--data-dir", m.data, "--name", m.name,
			"--initial-cluster", e.initial(), "--initial-advertise-peer-urls", "http://"+m.peer)
	}
}

func (e *etcd) control(args ...string) {
	e.s.t.Helper()
	cmd := exec.Command("etcdctl", args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	if out, err := cmd.CombinedOutput(); err != nil {
		e.s.t.Fatalf("etcdctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
