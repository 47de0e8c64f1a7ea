package config

import (
	"fmt"
	"strings"
)

// suggest returns "did you mean …?" for the candidate nearest to word, or "" if
// none is near: at most a third of the letters may be wrong, and at least one.
func suggest(word string, candidates []string) string {
	best, bestAt := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestAt {
			best, bestAt = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance counts the edits between a and b: insert, delete, replace, and swap
// of neighbours (optimal string alignment).
func distance(a, b string) int {
	if max(len(a), len(b)) > 64 {
		return max(len(a), len(b)) // no key is that long
	}
	row2, row1, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row1 {
		row1[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row1[j+1]+1, row[j]+1, row1[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], row2[j-1]+1)
			}
		}
		row2, row1, row = row1, row, row2
	}
	return row1[len(b)]
}

// oneOf writes a choice for people: "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
