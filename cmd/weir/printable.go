package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// row is fmt.Fprintf of texts that clients, servers and files have chosen: see printable.
func row(out io.Writer, format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = printable(s)
		}
	}
	fmt.Fprintf(out, format, args...)
}

// printable is s with an escape for whatever is not printed as itself: what moves the cursor, breaks the columns
// or, as U+202E does, turns the rest of the line round.
func printable(s string) string {
	if strings.IndexFunc(s, unprinted) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprinted(r) {
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprinted(r rune) bool { return !strconv.IsPrint(r) }
