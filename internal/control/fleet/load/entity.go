package load

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// value is the text of the element that has ended, without white space around it, with XML's own entities replaced.
func (s *scanner) value() string {
	b := bytes.TrimSpace(s.text)
	if bytes.IndexByte(b, '&') < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		end := bytes.IndexByte(b[:min(len(b), maxEntity)], ';')
		if b[0] == '&' && end > 0 {
			if r, ok := entity(string(b[1:end])); ok {
				out, b = utf8.AppendRune(out, r), b[end+1:]
				continue
			}
		}
		out, b = append(out, b[0]), b[1:]
	}
	return string(out)
}

func entity(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil
}

// printable is a stranger's text for a message.
func printable(b []byte) string {
	q := strconv.QuoteToASCII(string(b[:min(len(b), 32)]))
	return q[1 : len(q)-1]
}
