package main

import (
	"strings"
	"sync"
)

// watched is a log that calls then, once, when a line with until in it comes.
type watched struct {
	mu    sync.Mutex
	b     strings.Builder
	until string
	then  func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.then != nil && strings.Contains(string(p), w.until) {
		w.then()
		w.then = nil
	}
	return w.b.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}
