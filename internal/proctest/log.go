package proctest

import (
	"bytes"
	"sync"
)

// Log keeps all that a process writes: a few MB at most.
type Log struct {
	mu sync.Mutex
	b  []byte
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	return len(p), nil
}

// Len is how much has been written, in bytes.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.b)
}

// From returns what was written after the first n bytes, up to the last line end.
func (l *Log) From(n int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b[n:]
	return bytes.Clone(b[:bytes.LastIndexByte(b, '\n')+1])
}

// Tail returns the last n bytes, marked if there were more.
func (l *Log) Tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.b) > n {
		return "…" + string(l.b[len(l.b)-n:])
	}
	return string(l.b)
}

// String is all of it.
func (l *Log) String() string { return string(l.From(0)) }
