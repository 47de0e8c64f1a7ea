package faults_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// P2: the disk under one of three members of the store is full. The member is lost, the node that it
// was part of lives and keeps what it has, the others are a store still; with room again and a new start
// all three are.
func TestP2FullDiskUnderAMember(t *testing.T) {
	tell(t, "disk full under a member of the store", func(s *story) {
		// etcd takes 64 MiB for its log and at once tries to take as much for the next part. Where there is no
		// room for that, there is none for anything while it tries.
		disk := s.disk("144m")
		c := s.embedded(map[string]string{"n3": filepath.Join(disk, "store")}, "n1:origin+edge", "n2:origin+edge", "n3:origin+edge")
		n1, n2, n3 := c.node("n1"), c.node("n2"), c.node("n3")
		alice, bob := s.publish(n1, "alice"), s.publishAgain(time.Second, "bob", n3)
		viewers := []*viewer{s.watch(n2, "alice"), s.watch(n3, "alice"), s.watch(n1, "bob"), s.watch(n3, "bob")}
		owners := map[string]string{"alice": "n1", "bob": "n3"}
		s.eventually(10*time.Second, "all agree before", c.registry(owners))
		s.sees(viewers, time.Second, 10*time.Second)

		s.fault("the disk of n3 is full", func() { s.fill(disk) })
		s.eventually(60*time.Second, "n3 says that its store has failed", func() error {
			if s.happened("the embedded store has failed") == 0 || s.happened(`"store lost"`, `"node":"n3"`) == 0 {
				return errors.New("not yet")
			}
			return nil
		})
		s.note("n3 has lost its store after %v", s.since().Round(ms))
		late := s.publishAgain(time.Second, "late", n3)
		carol := s.publish(n1, "carol")
		viewers = append(viewers, s.watch(n3, "late"), s.watch(n2, "carol"))
		s.sees(viewers, 2*time.Second, 10*time.Second)
		s.gap("viewer gap", target{p99: 200 * ms, always: 2 * time.Second}, gaps(viewers)...)
		s.zero("publisher closes", closes(alice, bob, carol, late))
		s.clean(viewers, true)

		stay := []*viewer{viewers[0], viewers[5]} // of others, at others
		s.fault("there is room again, and n3 starts anew", func() {
			s.empty(disk)
			n3.stop()
			n3.restart()
		})
		owners["carol"], owners["late"] = "n1", "n3"
		right := s.settles(time.Now(), 30*time.Second, scale(2*time.Second, 6*time.Second), "the registry is right", c.registry(owners))
		s.gap("registry right", target{p99: 10 * time.Second, always: 15 * time.Second}, right)
		s.gap("gap elsewhere", target{p99: 200 * ms, always: 2 * time.Second}, gaps(stay)...)
		s.zero("publisher closes elsewhere", closes(alice, carol))
	})
}

// disk mounts a small one.
func (s *story) disk(size string) (dir string) {
	s.t.Helper()
	dir, err := os.MkdirTemp(work, "disk-")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Mount("weir-test", dir, "tmpfs", 0, "size="+size); err != nil {
		s.t.Fatalf("not root? a small disk cannot be mounted, and without one it cannot be full: %v", err)
	}
	s.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
		os.Remove(dir)
	})
	return dir
}

// fill takes all of a disk's room, and empty gives it back.
func (s *story) fill(disk string) {
	s.t.Helper()
	f, err := os.Create(filepath.Join(disk, "fat"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	zeros := make([]byte, 4096) // a page: less of one is not left
	for err == nil {
		_, err = f.Write(zeros)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		s.t.Fatalf("the disk is not full: %v", err)
	}
}

func (s *story) empty(disk string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(disk, "fat")); err != nil {
		s.t.Fatal(err)
	}
}
