package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockWait is how long a member waits for its data. Why not smaller: a predecessor
// that was told to end may still hand over its part in the cluster.
const lockWait = 15 * time.Second

// waitDir waits until no other process has the member's data in dir. etcd itself
// waits for ever, and without a word at first.
func waitDir(ctx context.Context, dir string, log *slog.Logger) error {
	f, err := os.Open(filepath.Join(dir, "member", "snap", "db"))
	if err != nil {
		return nil // no data yet, or etcd says what is wrong with them
	}
	defer f.Close() // and with it the lock
	for deadline, told := time.Now().Add(lockWait), false; ; told = true {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("store: another process has the data in %s: end it, or give this node a directory of its own", dir)
		}
		if !told && log != nil {
			log.Warn("another process has the store's data: waiting for it to end", "dir", dir)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
