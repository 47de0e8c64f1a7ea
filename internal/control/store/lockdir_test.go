package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDataOfAnotherProcessIsWaitedForAndNamed(t *testing.T) {
	dir := t.TempDir()
	if err := waitDir(t.Context(), dir, nil); err != nil {
		t.Fatalf("an empty directory: %v", err)
	}
	db := filepath.Join(dir, "member", "snap", "db")
	if err := os.MkdirAll(filepath.Dir(db), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(db)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		err := waitDir(t.Context(), dir, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("err = %v", err)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d lines in the log: %s", n, log.String())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := waitDir(ctx, dir, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		time.AfterFunc(time.Second, func() { f.Close() })
		if err := waitDir(t.Context(), dir, nil); err != nil {
			t.Errorf("err = %v", err)
		}
	})
}
