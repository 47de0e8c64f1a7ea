package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// line is one thing that happened.
type line struct {
	at   time.Time
	who  string
	text string
}

// timelineMax bounds what a failure prints, in lines: the last ones, and the first.
const timelineMax = 400

// timelineMaxFull is that of the bench, whose stories are long and whose odd run may not
// come again.
const timelineMaxFull = 5000

// print writes the merged timeline of the test, its viewers and all nodes.
func (s *story) print() {
	s.mu.Lock()
	all := slices.Clone(s.said)
	nodes := s.nodes
	s.mu.Unlock()
	for _, n := range nodes {
		for _, log := range n.logs {
			all = append(all, logLines(n.name, log.From(0))...)
		}
	}
	slices.SortStableFunc(all, func(a, b line) int { return a.at.Compare(b.at) })
	var b strings.Builder
	fmt.Fprintf(&b, "timeline of %s\n", s.name)
	limit := scale(timelineMax, timelineMaxFull)
	skipped := max(0, len(all)-limit)
	for i, l := range all {
		if i >= limit/8 && i < limit/8+skipped {
			if i == limit/8 {
				fmt.Fprintf(&b, "          … %d lines …\n", skipped)
			}
			continue
		}
		fmt.Fprintf(&b, "%9.3f %-8s %s\n", l.at.Sub(s.began).Seconds(), l.who, l.text)
	}
	s.t.Log(b.String())
}

// logLines reads a node's JSON log. What is not JSON (a runtime's last words) takes
// the time of the line before.
func logLines(who string, log []byte) []line {
	var out []line
	var last time.Time
	for raw := range bytes.Lines(log) {
		d := json.NewDecoder(bytes.NewReader(raw))
		var l struct {
			Time time.Time
			Msg  string
		}
		if d.Decode(&l) != nil {
			out = append(out, line{last, who, strings.TrimSpace(string(raw))})
			continue
		}
		last = l.Time
		out = append(out, line{l.Time, who, l.Msg + attributes(raw)})
	}
	return out
}

// attributes are a log line's keys and values in their order, without those that
// the timeline shows elsewhere.
func attributes(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return ""
	}
	var b strings.Builder
	for d.More() {
		key, err := d.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		switch key {
		case "time", "level", "msg", "node":
			continue
		case "dur", "silent", "behind":
			var ns time.Duration
			if json.Unmarshal(value, &ns) == nil {
				fmt.Fprintf(&b, " %s=%v", key, ns.Round(time.Millisecond))
				continue
			}
		}
		fmt.Fprintf(&b, " %s=%s", key, value)
	}
	return b.String()
}

// happened counts the log lines of all nodes that have all of these parts.
func (s *story) happened(parts ...string) int {
	count := 0
	for _, n := range s.nodes {
		for _, log := range n.logs {
		lines:
			for raw := range bytes.Lines(log.From(0)) {
				for _, p := range parts {
					if !bytes.Contains(raw, []byte(p)) {
						continue lines
					}
				}
				count++
			}
		}
	}
	return count
}
