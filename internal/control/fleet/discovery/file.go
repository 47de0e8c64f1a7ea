package discovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"weir/internal/control/fleet"
)

// FileOptions are a watched file's.
type FileOptions struct {
	Path  string
	Parse func(path string, data []byte) ([]fleet.Backend, error)
}

// File is a list of servers in a file, read again when it changes.
//
// Editors and tools replace a file in many ways: in place, by a rename over it, by pointing a link on the way to it
// elsewhere, as Kubernetes does with ConfigMaps. So not the file is watched but the directories of all links on the way, and
// whatever happens there means only: look. Looking compares the content, so that it may happen for nothing.
type File struct {
	view
	f    FileOptions
	last []byte // what was last read, good or bad
	read bool
	why  error // that it was bad
}

// NewFile returns the source; Run starts it.
func NewFile(o Options, f FileOptions) *File {
	return &File{view: view{o: o, source: "file:" + f.Path}, f: f}
}

// Run watches until ctx ends.
func (s *File) Run(ctx context.Context) {
	w, err := fsnotify.NewWatcher()
	var events <-chan fsnotify.Event
	var errs <-chan error
	if err == nil {
		defer w.Close()
		events, errs = w.Events, w.Errors
	} // else looking now and then has to do
	watched := map[string]bool{}
	s.watch(w, watched)
	s.look()
	tick := time.NewTicker(lookFile)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-errs: // events were lost; looking finds out what they were
		case <-events:
			if !settle(ctx, events) {
				return
			}
		}
		s.watch(w, watched)
		s.look()
	}
}

// settle waits until nothing has happened for a moment.
func settle(ctx context.Context, events <-chan fsnotify.Event) bool {
	most := time.NewTimer(mostSettle)
	defer most.Stop()
	quiet := time.NewTimer(settleFile)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-events:
			quiet.Reset(settleFile)
		case <-quiet.C:
			return true
		case <-most.C:
			return true
		}
	}
}

// watch sees to it that the directories on the way to the file are watched, those that there are.
func (s *File) watch(w *fsnotify.Watcher, watched map[string]bool) {
	if w == nil {
		return
	}
	now := way(s.f.Path)
	for dir := range watched {
		if !now[dir] {
			_ = w.Remove(dir) // it may be gone already
			delete(watched, dir)
		}
	}
	for dir := range now {
		if w.Add(dir) == nil { // again and again: a directory may have been replaced by another of its name
			watched[dir] = true
		}
	}
}

// way is the directories of a path and of all links on the way to its file.
func way(path string) map[string]bool {
	dirs := map[string]bool{}
	for range 16 { // links may go in circles
		dir := filepath.Dir(path)
		dirs[dir] = true
		// A link among the directories: the one that it is in decides where the rest is.
		for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
			if to, err := os.Readlink(d); err == nil {
				dirs[filepath.Dir(d)] = true
				if !filepath.IsAbs(to) {
					to = filepath.Join(filepath.Dir(d), to)
				}
				dirs[filepath.Dir(to)] = true
			}
		}
		to, err := os.Readlink(path)
		if err != nil {
			return dirs
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		path = to
	}
	return dirs
}

// look reads the file and takes it in if it has changed.
func (s *File) look() {
	data, err := slurp(s.f.Path)
	if err != nil {
		s.read = false
		s.bad(err)
		return
	}
	if s.read && bytes.Equal(data, s.last) {
		if s.why != nil {
			s.bad(s.why) // which says when that is to be heard of
		}
		return
	}
	list, err := s.f.Parse(s.f.Path, data)
	if err == nil && len(bytes.TrimSpace(data)) == 0 {
		err = errors.New("the file is empty")
	}
	s.last, s.read, s.why = data, true, err
	if err != nil {
		s.bad(err)
		return
	}
	s.good(list)
}

// slurp reads a file of bounded size. Neither a pipe nor a device is waited for.
func slurp(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxBytes)
	}
	return data, err
}
