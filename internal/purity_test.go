package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"weir/internal/ops/event"
)

// sources parses the module's Go files below dir (relative to its root); keep
// chooses by file name.
func sources(t *testing.T, dir string, keep func(name string) bool) map[string]*ast.File {
	t.Helper()
	out := map[string]*ast.File{}
	root := filepath.Join("..", dir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || !keep(d.Name()) {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		out[path] = f
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func production(name string) bool { return !strings.HasSuffix(name, "_test.go") }

// impure are the packages that a pure decision does not import directly. (It
// reaches some through fmt, which is why this is not a wall of house_test.go.)
var impure = []string{"net", "os", "io", "syscall", "net/http", "log", "log/slog", "context", "sync", "sync/atomic", "os/exec", "math/rand", "crypto/rand"}

func TestPlacementIsPure(t *testing.T) {
	files := sources(t, "internal/control/place", production)
	if len(files) == 0 {
		t.Fatal("package place is empty")
	}
	for path, f := range files {
		for _, imp := range f.Imports {
			if name, _ := strconv.Unquote(imp.Path.Value); slices.Contains(impure, name) {
				t.Errorf("%s imports %s: decisions are functions of their arguments, so that they can be simulated, explained and repeated", path, name)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine: decisions are synchronous", path)
			case *ast.CallExpr:
				sel, ok := n.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				from, ok := sel.X.(*ast.Ident)
				if !ok {
					return true
				}
				switch {
				case from.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}, sel.Sel.Name):
					t.Errorf("%s calls time.%s: the time is an argument", path, sel.Sel.Name)
				case from.Name == "rand" && !strings.HasPrefix(sel.Sel.Name, "New"):
					t.Errorf("%s calls rand.%s: chance is an argument", path, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// Every constant of a type named Reason, wherever it is, is a metric label and a
// log word, so it is in event.Reasons with its meaning.
func TestReasonsAreOneList(t *testing.T) {
	known := map[string]bool{}
	for r := range event.Reasons() {
		known[string(r.Reason)] = true
	}
	for path, f := range sources(t, "", production) {
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || v.Type == nil {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Reason" {
				return true
			}
			for i, value := range v.Values {
				lit, ok := value.(*ast.BasicLit)
				if !ok {
					continue
				}
				if word, _ := strconv.Unquote(lit.Value); !known[word] {
					t.Errorf("%s: %s is %q, which is not in event.Reasons", path, v.Names[i].Name, word)
				}
			}
			return true
		})
	}
}

// Tests wait for conditions. A test that sleeps is slow when it passes and wrong
// when the machine is busy.
func TestNoTestSleeps(t *testing.T) {
	files := sources(t, "", func(name string) bool { return !production(name) })
	// Within testing/synctest the clock is a fake and sleeping costs nothing; a
	// package's tests share their bubble helper.
	bubble := map[string]bool{}
	for path, f := range files {
		for _, imp := range f.Imports {
			if imp.Path.Value == `"testing/synctest"` {
				bubble[filepath.Dir(path)] = true
			}
		}
	}
	for path, f := range files {
		if bubble[filepath.Dir(path)] {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if from, ok := sel.X.(*ast.Ident); ok && from.Name == "time" {
					t.Errorf("%s sleeps", path)
				}
			}
			return true
		})
	}
}
