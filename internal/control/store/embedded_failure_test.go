package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/internal/control/store"
)

// childOfDisk is set in the process that has its disk taken away.
const childOfDisk = "WEIR_TEST_FULL_DISK"

// P2: a disk that is full under an embedded member costs the store, and not the process with all
// of its streams. etcd's code calls the end of the process itself, so another process tries.
func TestP2FullDiskCostsTheStoreAlone(t *testing.T) {
	if full := os.Getenv(childOfDisk); full != "" {
		if err := liveOnAFullDisk(full); err != nil {
			fmt.Println("child:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	for _, full := range []string{".wal", "/db"} {
		t.Run(full, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestP2FullDiskCostsTheStoreAlone$")
			cmd.Env = append(os.Environ(), childOfDisk+"="+full, "TMPDIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

func liveOnAFullDisk(full string) error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	s, err := store.StartEmbedded(ctx, store.EmbeddedOptions{Dir: filepath.Join(dir, "etcd")})
	if err != nil {
		return err
	}
	other, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{s.Addr()}})
	if err != nil {
		return err
	}
	lease, err := s.Grant(ctx, store.MinTTL)
	if err != nil {
		return err
	}
	lost, err := s.KeepAlive(ctx, lease)
	if err != nil {
		return err
	}
	if err := fill(dir, full); err != nil {
		return err
	}
	for began := time.Now(); ; {
		_, err = s.Put(ctx, "k", make([]byte, 1<<10), 0)
		if err != nil && strings.Contains(err.Error(), "the embedded store has failed") {
			break
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("still well: %w", err)
		}
	}
	if !errors.Is(err, store.ErrUnavailable) || full == ".wal" && !errors.Is(err, syscall.ENOSPC) { // bbolt looks at the size first
		return fmt.Errorf("it says: %w", err)
	}
	if _, err := s.Get(ctx, "k"); !errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("a call afterwards: %w", err)
	}
	if _, err := other.Put(ctx, "k", nil, 0); !errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("another node's call: %w", err)
	}
	select {
	case <-lost:
	case <-time.After(time.Minute):
		return errors.New("the lease is not lost")
	}
	return errors.Join(s.Close(), other.Close())
}

// fill has every write to this process's open files under dir that are named so fail as
// on a full disk.
func fill(dir, suffix string) error {
	null, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return err
	}
	filled := 0
	for _, fd := range fds {
		var n int
		path, err := os.Readlink(fd)
		if _, err2 := fmt.Sscanf(filepath.Base(fd), "%d", &n); err != nil || err2 != nil || !strings.HasPrefix(path, dir) || !strings.HasSuffix(path, suffix) {
			continue
		}
		if err := syscall.Dup3(int(null.Fd()), n, syscall.O_CLOEXEC); err != nil {
			return err
		}
		filled++
	}
	if filled == 0 {
		return errors.New("no such file is open")
	}
	return nil
}
