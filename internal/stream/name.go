package stream

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxNameBytes bounds each half of a name, in bytes. Why not smaller: signed
// tokens and e-mail addresses serve as names. Why not larger: a name is a key
// in the store, a label on pages and part of a file's path.
const MaxNameBytes = 255

// Name is a stream's public name: the application and the stream within it.
type Name struct {
	App    string
	Stream string
}

// String returns "app/stream", the form of URLs, logs and the store.
func (n Name) String() string { return n.App + "/" + n.Stream }

// NameError says why a name was refused. It quotes no more than the start of
// the name, escaped, because names come from strangers.
type NameError struct {
	Part   string // "app" or "stream"
	Value  string
	Reason string
}

func (e *NameError) Error() string {
	v := e.Value
	if len(v) > 64 {
		v = v[:64] + "…"
	}
	return fmt.Sprintf("%s name %q: %s", e.Part, v, e.Reason)
}

// NewName checks both halves. A half is 1 to [MaxNameBytes] bytes of UTF-8
// without control characters, backslashes, empty or dotted path segments, or a
// leading slash. The application may hold inner slashes ("region/live"), and so
// may the stream: the pair is kept apart by the caller, never guessed.
func NewName(app, name string) (Name, error) {
	if reason := check(app); reason != "" {
		return Name{}, &NameError{"app", app, reason}
	}
	if reason := check(name); reason != "" {
		return Name{}, &NameError{"stream", name, reason}
	}
	return Name{App: app, Stream: name}, nil
}

// ParseName reads "app/stream"; the last slash separates the halves.
func ParseName(s string) (Name, error) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return Name{}, &NameError{"stream", s, "no application: want app/name"}
	}
	return NewName(s[:i], s[i+1:])
}

func check(s string) (reason string) {
	switch {
	case s == "":
		return "empty"
	case len(s) > MaxNameBytes:
		return fmt.Sprintf("longer than %d bytes", MaxNameBytes)
	case s[0] == '/':
		return "begins with a slash"
	case !utf8.ValidString(s):
		return "not UTF-8"
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return "holds a control character"
		}
		if r == '\\' {
			return "holds a backslash"
		}
	}
	for seg := range strings.SplitSeq(s, "/") {
		switch seg {
		case "":
			return "holds an empty path segment"
		case ".", "..":
			return "holds a dotted path segment"
		}
	}
	lower := strings.ToLower(s)
	if strings.Contains(lower, "%2e") || strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") || strings.Contains(lower, "%00") {
		return "holds an escaped path character"
	}
	return ""
}
