package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// DefaultLimits returns the defaults of [LimitTable].
func DefaultLimits() Limits {
	var l Limits
	v := reflect.ValueOf(&l).Elem()
	for _, row := range LimitTable {
		if row.Key == "" {
			continue
		}
		f, ok := field(v, row.Key)
		if !ok {
			panic("config: limit " + row.Key + " has no field")
		}
		f.SetInt(number(row.Default))
	}
	return l
}

// number returns a limit's value in its base unit: nanoseconds, bytes, things.
func number(v fmt.Stringer) int64 {
	switch v := v.(type) {
	case time.Duration:
		return int64(v)
	case Size:
		return int64(v)
	case Count:
		return int64(v.N)
	}
	panic(fmt.Sprintf("config: a limit of type %T", v))
}

// plain writes a limit without the unit words of a Count, as the file has it.
func plain(v fmt.Stringer) string {
	if c, ok := v.(Count); ok {
		return fmt.Sprint(c.N)
	}
	return short(v)
}

// short writes durations without zero parts: 1m, not 1m0s.
func short(v fmt.Stringer) string {
	s := v.String()
	if d, ok := v.(time.Duration); ok && d >= time.Minute && d%time.Minute == 0 {
		s = strings.TrimSuffix(s, "0s")
		if d%time.Hour == 0 {
			s = strings.TrimSuffix(s, "0m")
		}
	}
	return s
}

// limits checks the section limits against the table's ranges and itself.
func (k checker) limits() {
	v := reflect.ValueOf(k.Limits)
	for _, row := range LimitTable {
		if row.Key == "" {
			continue
		}
		f, _ := field(v, row.Key)
		if n := f.Int(); n < number(row.Least) || n > number(row.Most) {
			k.at("limits."+row.Key, fmt.Sprintf("%v is out of range", f.Interface()),
				fmt.Sprintf("it can be %s to %s", plain(row.Least), plain(row.Most)))
		}
	}
	if k.Limits.ViewerLag > k.Limits.GOPTime {
		k.at(first(k, "limits.viewer_lag", "limits.gop_time"),
			fmt.Sprintf("viewer_lag (%s) is longer than gop_time (%s): nothing that old is kept", k.Limits.ViewerLag, k.Limits.GOPTime),
			"make viewer_lag the shorter one")
	}
	if k.Limits.PreAuth > k.Limits.Message {
		k.at(first(k, "limits.before_authorization", "limits.message"),
			fmt.Sprintf("before_authorization (%s) is larger than message (%s)", k.Limits.PreAuth, k.Limits.Message), "")
	}
	if k.Limits.GOPBytes < k.Limits.Message {
		k.at(first(k, "limits.gop_bytes", "limits.message"),
			fmt.Sprintf("gop_bytes (%s) is smaller than message (%s): one key frame may not fit", k.Limits.GOPBytes, k.Limits.Message),
			"make gop_bytes the larger one")
	}
}

// LimitsDoc returns the table as the Markdown of docs/limits.md.
func LimitsDoc() string {
	var b strings.Builder
	b.WriteString(`# Limits

Every limit of Weir. Those with a key can be changed in the section ` + "`limits`" + ` of the configuration file; durations
and sizes carry a unit (` + "`10s`, `8MiB`" + `). Each one counts in ` + "`weir_limit_hits_total{reason=…}`" + ` under its reason, which is also
the word in the log. The file is generated from the table in ` + "`internal/ops/config/limits.go`" + ` (` + "`make docs`" + `); a test
keeps the two in step.

| limit | key | default | range | reason | what it stops |
|---|---|---|---|---|---|
`)
	for _, row := range LimitTable {
		key, span, name := "", "", row.Name
		if row.Key != "" {
			key = "`" + row.Key + "`"
			span = plain(row.Least) + " to " + plain(row.Most)
		}
		if row.Later {
			name += " (later)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` | %s |\n", name, key, short(row.Default), span, row.Reason, row.Stops)
	}
	b.WriteString("\nA row marked \"later\" guards a part that is not there yet.\n")
	return b.String()
}
