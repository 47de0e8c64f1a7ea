package bench

import (
	"fmt"
	"time"
)

// Reader is the manner in which a viewer takes its bytes. It decides what the server
// pays (the kernel merges what an unread socket has waiting), so it belongs to every figure.
type Reader string

const (
	// Lazy visits each socket every 100 to 800 ms, at random.
	Lazy Reader = "lazy"
	// Eager wakes for every packet, as players do.
	Eager Reader = "eager"
)

// Times between a lazy reader's visits.
const (
	lazyMin = 100 * time.Millisecond
	lazyMax = 800 * time.Millisecond
)

// ParseReader reads "lazy" or "eager".
func ParseReader(s string) (Reader, error) {
	if r := Reader(s); r == Lazy || r == Eager {
		return r, nil
	}
	return "", fmt.Errorf("reader %q: want lazy or eager", s)
}
