package faults_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var (
	full     = flag.Bool("full", false, "tell the stories at full scale")
	runs     = flag.Int("runs", 1, "how often to tell each")
	outDir   = flag.String("out", "", "directory for the figures, as JSON and as a table")
	abreast  = flag.Int("lanes", 1, "how many scenarios at once; what needs the machine for itself is told alone all the same")
	prebuilt = flag.String("weir", "", "binary under test; built from this tree if empty")
)

// pattern: only some of the scenarios are told.
var pattern = new(bool)

// work holds the binary under test.
var work string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(all(m))
}

func all(m *testing.M) int {
	*pattern = flag.Lookup("test.run").Value.String() != "" && flag.Lookup("test.run").Value.String() != "."
	if *outDir != "" {
		if err := book.open(*outDir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	lane.n = *abreast
	if *abreast > 1 {
		// All rows come up at once, and lane says who may begin.
		flag.Set("test.parallel", fmt.Sprint(2*len(rows)))
	}
	dir, err := os.MkdirTemp("", "weir-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	work = dir
	code := m.Run()
	if *outDir != "" {
		if err := book.finish(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := figures.write(*outDir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for _, m := range figures.missed() {
			fmt.Fprintln(os.Stderr, "MISSED:", m)
			code = 1
		}
	}
	return code
}

// weirBinary builds the binary under test, once.
var weirBinary = sync.OnceValues(func() (string, error) {
	if *prebuilt != "" {
		return filepath.Abs(*prebuilt)
	}
	path := filepath.Join(work, "weir")
	out, err := exec.Command("go", "build", "-o", path, "weir/cmd/weir").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build weir: %w\n%s", err, out)
	}
	return path, nil
})

// scale chooses between the size of a test and that of the bench.
func scale[T any](small, whole T) T {
	if *full {
		return whole
	}
	return small
}
