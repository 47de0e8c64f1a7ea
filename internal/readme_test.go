package house_test

import (
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const readme = "../README.md"

// promiseRow is a row of the README's table of promises: number, text, tests and
// what is to come.
var promiseRow = regexp.MustCompile(`(?m)^\| (P[1-7]) \| (.*?) \|(.*?)( \*Later\*: .*)? \|$`)

// TestReadmeListsThePromisesTests fails for a promise without tests that does not
// say so, and for a test that is listed and does not exist. "make docs" writes the
// list; a test added since is no failure, only not listed yet.
func TestReadmeListsThePromisesTests(t *testing.T) {
	tests := promiseTests(t)
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("WEIR_WRITE_DOCS") != "" {
		text = promiseRow.ReplaceAllFunc(text, func(row []byte) []byte {
			m := promiseRow.FindStringSubmatch(string(row))
			cell := ""
			for _, name := range tests[m[1]] {
				cell += " `" + name + "`"
			}
			return []byte("| " + m[1] + " | " + m[2] + " |" + cell + m[4] + " |")
		})
		if err := os.WriteFile(readme, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rows := promiseRow.FindAllStringSubmatch(string(text), -1)
	if len(rows) != 7 {
		t.Errorf("%d promises in the README, want 7", len(rows))
	}
	for _, m := range rows {
		listed := strings.Fields(strings.ReplaceAll(m[3], "`", ""))
		if len(listed) == 0 && m[4] == "" {
			t.Errorf("%s has neither tests nor a *Later*: run make docs", m[1])
		}
		for _, name := range listed {
			if !slices.Contains(tests[m[1]], name) {
				t.Errorf("%s lists %s, which does not exist: run make docs", m[1], name)
			}
		}
	}
}

// promiseTests finds the tests with a promise's number in the name, by number.
func promiseTests(t *testing.T) map[string][]string {
	t.Helper()
	name := regexp.MustCompile(`^Test_?(P[1-7])[A-Z_]`)
	out := map[string][]string{}
	for _, f := range sources(t, "", func(n string) bool { return !production(n) }) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			if m := name.FindStringSubmatch(fn.Name.Name); m != nil && !slices.Contains(out[m[1]], fn.Name.Name) {
				out[m[1]] = append(out[m[1]], fn.Name.Name)
			}
		}
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out
}
