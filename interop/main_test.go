package interop_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// work holds what tests share: the binary and the media files.
var work string

var raceDetector = flag.Bool("weir.race", false, "build the binary under test with the race detector; a race ends the node and fails its test")

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "weir-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	work = dir
	return m.Run()
}

// weirBinary returns the path of the binary under test, built once.
func weirBinary(t *testing.T) string {
	t.Helper()
	path, err := buildWeir()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildWeir = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "weir")
	argv := []string{"build", "-o", path}
	if *raceDetector {
		argv = append(argv, "-race")
	}
	out, err := exec.Command("go", append(argv, "weir/cmd/weir")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build weir: %w\n%s", err, out)
	}
	return path, nil
})
