package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"weir/internal/ops/admin"
)

// What clients and servers call themselves neither steers a terminal nor moves a table's columns.
func TestTablesEscapeWhatIsNotPrinted(t *testing.T) {
	const evil = "a\u202egpj\x1b[2J\t\r\nb\u200f\u00a0"
	const want = `a\u202egpj\x1b[2J\t\r\nb\u200f\u00a0`
	for name, print := range map[string]func(io.Writer) error{
		"nodes": func(out io.Writer) error { return nodeTable(out, []admin.Node{{Name: evil}}) },
		"streams": func(out io.Writer) error {
			return streamTable(out, []admin.Stream{{App: "live", Name: evil, Owner: "o"}})
		},
		"sessions": func(out io.Writer) error { return sessionTable(out, []admin.Session{{App: "live", Stream: evil}}) },
		"backends": func(out io.Writer) error {
			return backendTable(out, []admin.Backend{{Health: admin.Health{Reason: evil}}})
		},
		"sources": func(out io.Writer) error { return sourceTable(out, []admin.Source{{Name: "dns:h", Failing: evil}}) },
		"route": func(out io.Writer) error {
			return routeTable(out, admin.Route{Reason: "r", Rejected: []admin.NotChosen{{Node: "n", Reason: evil}}})
		},
		"decisions": func(out io.Writer) error { return decisionTable(out, []admin.Decision{{App: "live", Name: evil}}) },
	} {
		var out strings.Builder
		if err := print(&out); err != nil || !strings.Contains(out.String(), want) || strings.ContainsAny(out.String(), "\x1b\t\r\u202e\u200f\u00a0") {
			t.Errorf("%s: %v %q", name, err, out.String())
		}
	}
	if got := oneLine(errors.New("no stream " + evil)); strings.IndexFunc(got, unprinted) >= 0 {
		t.Errorf("%q", got)
	}
	if s := "live/grüße 日本 \"x\" \\ 🎥"; printable(s) != s {
		t.Errorf("%q", printable(s))
	}
}
