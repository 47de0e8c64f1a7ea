package rig

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// alone makes sure that no second measurement is under way on this machine: two would
// measure each other, and the first to end would take the congestion control away from
// the other. The lock goes with the process.
func alone() (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "weir-bench.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another measurement is under way")
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}
