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
)

// P2: the disk under an embedded store is full. The store is lost, and the operator reads why; the
// node lives, what runs goes on, and publishers still come.
func TestP2FullDiskUnderAnEmbeddedStore(t *testing.T) {
	dir := t.TempDir()
	// etcd takes 64 MiB for its log and at once tries to take as much for the next part. Where there is no
	// room for that, there is none for anything while it tries.
	if err := syscall.Mount("weir-test", dir, "tmpfs", 0, "size=144m"); err != nil {
		t.Fatalf("not root? a small disk cannot be mounted, and without one it cannot be full: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	n := startNode(t, nodeOptions{name: "n1", roles: "front,origin,edge",
		store: []string{"--store", "embedded", "--store-listen", "127.0.0.1:0", "--store-dir", filepath.Join(dir, "store")}})
	before := publishFrames(t, n.listening["rtmp"], "before")
	before.onAir(t)
	v, _ := before.watch(t, "the node", n.listening["rtmp"])

	fat, err := os.Create(filepath.Join(dir, "fat"))
	if err != nil {
		t.Fatal(err)
	}
	defer fat.Close()
	if _, err := io.CopyN(fat, zeros{}, 1<<30); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	eventually(t, "the store has failed, and the node says so", func() error {
		if err := n.running(); err != nil {
			return fmt.Errorf("the node has ended: %w", err)
		}
		if text := string(n.log.Tail(64 << 10)); !strings.Contains(text, "the embedded store has failed") || !strings.Contains(text, `"store lost"`) {
			return errors.New("not yet")
		}
		return nil
	})
	had := v.Report().Video
	after := publishFrames(t, n.listening["rtmp"], "after")
	after.onAir(t)
	late, _ := after.watch(t, "the node", n.listening["rtmp"])
	eventually(t, "both streams play", func() error {
		if a, b := v.Report(), late.Report(); a.Video < had+50 || b.Video < 50 || a.Foreign+b.Foreign > 0 {
			return fmt.Errorf("%+v %+v", a, b)
		}
		return nil
	})
}

// zeros is as much of nothing as is asked for.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
