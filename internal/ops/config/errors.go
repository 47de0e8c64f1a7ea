package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Error is one thing wrong with the configuration.
type Error struct {
	// Source is the file's name, or the flag ("--rtmp").
	Source string
	// Line and Column count from 1; zero when Source is a flag or the place is
	// not in the file.
	Line, Column int
	// Key is the dotted path, "rtmp.listen".
	Key string
	// Problem says what is wrong, and Hint what to do; Hint may be empty.
	Problem, Hint string
	// Text is the offending line, Span the width to mark from Column.
	Text string
	Span int
}

// Error returns the first line of the message: place, key, problem, hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Source)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Source != "" {
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Problem)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Errors is all that is wrong, in the order of the file. It is never empty
// when it is returned as an error.
type Errors []*Error

// Error returns one line per problem.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As each of them.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// maxTextBytes bounds the line of the file that is shown. Why not longer: it helps no one, and
// the mark would be screens away.
const maxTextBytes = 500

// printable replaces what a terminal would obey: the file may not be what the operator
// thinks. Tabs stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Detail returns the message for people: each problem's line, and below it the
// line of the file with the place marked.
func (es Errors) Detail() string {
	var b strings.Builder
	for _, e := range es {
		b.WriteString(printable(e.Error()))
		b.WriteByte('\n')
		if e.Line == 0 || e.Text == "" || len(e.Text) > maxTextBytes {
			continue
		}
		gutter := fmt.Sprintf("%5d | ", e.Line)
		// Tabs stay tabs below, so that the mark stands under its word however
		// wide a terminal makes them.
		lead := strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, prefix(e.Text, e.Column-1))
		b.WriteString(gutter + printable(e.Text) + "\n")
		b.WriteString(strings.Repeat(" ", len(gutter)-2) + "| " + lead + strings.Repeat("^", max(e.Span, 1)) + "\n")
	}
	return b.String()
}

// prefix returns the first n characters of s.
func prefix(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}
