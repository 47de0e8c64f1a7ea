package proxyproto

import (
	"errors"
	"fmt"
	"net/netip"
)

// Header is what a proxy says of a connection.
type Header struct {
	// Local: the connection is the proxy's own, a health check mostly. Source and
	// Destination are then zero, as they are when the proxy does not know.
	Local               bool
	Source, Destination netip.AddrPort
}

// Error is a header that is none.
type Error struct{ Err error }

func (e *Error) Error() string { return "PROXY header: " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func malformed(format string, args ...any) error { return &Error{fmt.Errorf(format, args...)} }

// Looks reports whether b, the first bytes of a connection, at least five of them,
// look like a header.
func Looks(b []byte) bool {
	has := func(s string) bool { n := min(len(b), len(s)); return n >= 5 && string(b[:n]) == s[:n] }
	return has("PROXY ") || has(signature)
}

var (
	errNone    = errors.New("the connection does not begin with one")
	errTooLong = errors.New("longer than allowed")
)

const (
	// maxV1 is the longest line of version 1, its end included (section 2.1).
	maxV1 = 107
	// maxV2 bounds what follows the fixed part of version 2, in bytes. Why not
	// smaller: proxies add names and certificates as TLVs. Why not larger: it is a
	// stranger's to fill, and the format allows 65,535.
	maxV2 = 2048
)

// signature is how version 2 begins.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// The fields of version 2.
const (
	fixedV2 = 16

	v2Local = 0x20
	v2Proxy = 0x21

	familyUnspec = 0x00
	familyTCP4   = 0x11
	familyTCP6   = 0x21
)
