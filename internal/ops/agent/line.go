package agent

import (
	"math"
	"strconv"
	"strings"
)

// Status is a node as HAProxy is to see it.
type Status struct {
	Drain bool
	Down  string  // why it can take nothing; empty: it can
	Share float64 // of its capacity that is taken, 0 to 1
}

// maxReason bounds the text after "down", which HAProxy shows on its page.
const maxReason = 80

// Line is the answer, with its end.
func (s Status) Line() string {
	switch {
	case s.Down != "":
		return "down #" + plain(s.Down) + "\n"
	case s.Drain:
		return "up drain\n"
	}
	return "up ready " + strconv.Itoa(s.percent()) + "%\n"
}

// percent is what is left of the node. It is never 0, which HAProxy takes for a drain: a node that is full says so to
// who comes nevertheless.
func (s Status) percent() int {
	if !(s.Share > 0) { // NaN too
		return 100
	}
	return max(1, int(math.Round(100*(1-min(s.Share, 1)))))
}

// plain is text that cannot end or split the line.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '#' {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), maxReason)]
}
