package faults_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// notebook keeps what the bench has measured, run by run, in a directory beside the results: a
// bench that was interrupted goes on where it was, if the code is the same.
type notebook struct {
	mu    sync.Mutex
	dir   string // "": not kept
	pages map[string]*page
}

// page is one row so far.
type page struct {
	Commit  string        `json:"commit"`
	Row     string        `json:"row"`
	Done    int           `json:"done"`  // runs
	Lanes   int           `json:"lanes"` // at most, that any of them was told in
	Took    time.Duration `json:"took"`  // of all of them
	Figures []*figure     `json:"figures"`
}

var book = notebook{pages: map[string]*page{}}

// open reads what is there of this code.
func (b *notebook) open(dir string) error {
	b.dir = filepath.Join(dir, "unfinished")
	commit := thisMachine().Commit
	files, err := filepath.Glob(filepath.Join(b.dir, "*.json"))
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		p := new(page)
		if err := json.Unmarshal(text, p); err != nil {
			return fmt.Errorf("%s: %w: delete it, and its runs are made again", f, err)
		}
		if p.Commit == commit && !strings.HasSuffix(p.Commit, "-dirty") {
			b.pages[p.Row] = p
		}
	}
	return nil
}

// done is how many runs of a row there are.
func (b *notebook) done(row string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pages[row]; p != nil {
		return p.Done
	}
	return 0
}

// left is about how long the runs of a row take that are to be made yet.
func (b *notebook) left(r row) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.remaining(r)
}

// remaining is left; mu is held.
func (b *notebook) remaining(r row) time.Duration {
	p, each := b.pages[r.name], r.run
	if p == nil {
		return each * time.Duration(*runs)
	}
	if p.Done > 0 {
		each = p.Took / time.Duration(p.Done)
	}
	return each * time.Duration(max(0, *runs-p.Done))
}

// lanes is in how many lanes a row was told.
func (b *notebook) lanes(row string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pages[row].Lanes
}

// ran notes runs that are over, and what has been measured in them.
func (b *notebook) ran(row string, n int, took time.Duration, measured []*figure) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pages[row]
	if p == nil {
		p = &page{Commit: thisMachine().Commit, Row: row}
		b.pages[row] = p
	}
	p.Done += n
	p.Took += took
	p.Lanes = max(p.Lanes, lane.of(row))
	for _, f := range measured {
		i := slices.IndexFunc(p.Figures, func(g *figure) bool { return g.What == f.What })
		if i < 0 {
			p.Figures = append(p.Figures, f)
			continue
		}
		p.Figures[i].Values = append(p.Figures[i].Values, f.Values...)
	}
	if b.dir == "" {
		return nil
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(b.dir, slug(row)+".json")
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func slug(row string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, row)
}

// finish hands all rows to the sheet, and throws the notes of those away that are complete.
func (b *notebook) finish() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range rows {
		p := b.pages[r.name]
		if p == nil {
			continue
		}
		for _, f := range p.Figures {
			f.target = f.Bounds.target()
			figures.all = append(figures.all, f)
		}
		if p.Done >= *runs && b.dir != "" {
			if err := os.Remove(filepath.Join(b.dir, slug(r.name)+".json")); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	os.Remove(b.dir) // if it is empty
	return nil
}

// progress says where the bench is, and when it will be done: by what each row has taken so
// far, or took when the table was written.
func (b *notebook) progress(row string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left, longest time.Duration
	done, all := 0, 0
	for _, r := range rows {
		if !chosen(r.name) {
			continue
		}
		all += *runs
		if p := b.pages[r.name]; p != nil {
			done += min(p.Done, *runs)
		}
		l := b.remaining(r)
		longest = max(longest, l)
		left += l / time.Duration(lane.of(r.name))
	}
	left = max(left, longest)
	at := 0
	if p := b.pages[row]; p != nil {
		at = p.Done
	}
	return fmt.Sprintf("%s  run %d of %d of all; %s: %d of %d; about %v left",
		time.Now().Format("15:04:05"), done+1, all, row, at+1, *runs, left.Round(time.Minute))
}

func TestANotebookGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	row := rows[0].name
	write := func(commit string, n int) {
		b := notebook{dir: filepath.Join(dir, "unfinished"), pages: map[string]*page{}}
		if err := b.open(dir); err != nil {
			t.Fatal(err)
		}
		if commit != "" {
			b.pages[row] = &page{Commit: commit, Row: row, Done: n, Took: time.Duration(n) * time.Second}
			n = 0
		}
		if err := b.ran(row, n, 0, []*figure{{Scenario: row, What: "gap", Unit: "ms", Values: []float64{1, 2}, Bounds: bounds{P99: 5}}}); err != nil {
			t.Fatal(err)
		}
	}
	again := func() *notebook {
		b := &notebook{pages: map[string]*page{}}
		if err := b.open(dir); err != nil {
			t.Fatal(err)
		}
		return b
	}
	write("another", 7)
	if b := again(); b.done(row) != 0 {
		t.Error("runs of another commit count")
	}
	commit := thisMachine().Commit
	write(commit, 7)
	write("", 2)
	b := again()
	if strings.HasSuffix(commit, "-dirty") {
		if b.done(row) != 0 {
			t.Error("runs of uncommitted code are kept")
		}
		return
	}
	if p := b.pages[row]; b.done(row) != 9 || len(p.Figures) != 1 || len(p.Figures[0].Values) != 4 || p.Figures[0].Bounds.target().p99 != 5*ms {
		t.Errorf("%d runs, %+v", b.done(row), p)
	}
}
