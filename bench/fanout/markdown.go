package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// markdown is the report as a page of tables, one for each manner of reading and bit rate.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(r.Title("Fan-out"))
	fmt.Fprintf(&b, "%s; median of interleaved rounds (least–greatest), %d at most: n says how many.\n", &r.Where, r.Rounds)
	b.WriteString("CPU is the server's user and system time, all threads, per GB that viewers received; × compares round by round.\n" +
		"Latency is the age of frames at sampled viewers. Memory grew from the window's begin to its most. Raw results and the plot are beside this file.\n")
	var refs []string
	for _, ref := range r.against {
		if slices.Contains(r.contenders, ref) {
			refs = append(refs, ref)
		}
	}
	var done []load
	for _, l := range r.loads {
		group := l.group()
		if slices.Contains(done, group) {
			continue
		}
		done = append(done, group)
		title := group.title()
		fmt.Fprintf(&b, "\n## %s%s\n\n", strings.ToUpper(title[:1]), title[1:])
		if r.joins {
			r.joinTable(&b, group)
		} else {
			r.table(&b, group, refs)
		}
	}
	return b.Bytes()
}

func (r *report) table(b *bytes.Buffer, group load, refs []string) {
	b.WriteString("| viewers | | n | CPU-s/GB |")
	for _, ref := range refs {
		fmt.Fprintf(b, " × %s |", ref)
	}
	b.WriteString(" latency p50, ms | p99 | longest gap, ms | KB a viewer | memory grew, MB | bytes, % | busiest core, % | faults |\n|---|---|---|---|")
	b.WriteString(strings.Repeat("---|", len(refs)+8) + "\n")
	for _, l := range r.loads {
		if l.group() != group {
			continue
		}
		for _, c := range r.contenders {
			s := r.of(c, l)
			if s.perGB.N+s.failed == 0 {
				continue
			}
			fmt.Fprintf(b, "| %d | %s | %d | %s |", l.Viewers, c, s.perGB.N, s.perGB.Format(3))
			for _, ref := range refs {
				if ref == c {
					b.WriteString(" 1 |")
				} else {
					fmt.Fprintf(b, " %s |", r.ratio(c, ref, l).Format(2))
				}
			}
			fmt.Fprintf(b, " %s | %s | %s | %s | %s | %s | %s | %s |\n", s.p50.Format(1), s.p99.Format(1), s.gap.Format(0), s.rss.Format(1), s.grew.Format(1),
				s.bytes.Format(1), s.core.Format(0), s.trouble())
		}
	}
}

// joinTable is the way from nothing to the first picture.
func (r *report) joinTable(b *bytes.Buffer, group load) {
	b.WriteString("| viewers | | n | joined in, s | µs of server CPU a join | answer of play p50, ms | p99 | first key frame p50, ms | p99 | busiest core, % | faults |\n|" + strings.Repeat("---|", 11) + "\n")
	for _, l := range r.loads {
		if l.group() != group {
			continue
		}
		for _, c := range r.contenders {
			s := r.of(c, l)
			if s.perGB.N+s.failed == 0 {
				continue
			}
			fmt.Fprintf(b, "| %d | %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", l.Viewers, c, s.joined.N, s.joined.Format(2), s.setup.Format(0),
				s.answer50.Format(2), s.answer99.Format(2), s.key50.Format(2), s.key99.Format(2), s.core.Format(0), s.trouble())
		}
	}
}

// trouble says in words what a good run has none of.
func (s summary) trouble() string {
	var words []string
	for _, w := range []struct {
		n    int
		what string
	}{{int(s.faults), "frames"}, {s.missing, "viewers"}, {s.unseeing, "without a picture"}, {s.short, "short"}, {s.failed, "trials"}} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	if len(words) == 0 {
		return "0"
	}
	return strings.Join(words, ", ")
}
