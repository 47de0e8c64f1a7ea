package store

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNotFound: no such key.
	ErrNotFound = errors.New("store: no such key")
	// ErrUnavailable: the store did not answer. A write may have happened all
	// the same. The error in hand is an [*UnavailableError].
	ErrUnavailable = errors.New("store: unavailable")
	// ErrLeaseGone: the lease has expired or was revoked.
	ErrLeaseGone = errors.New("store: lease is gone")
	// ErrCompacted: the revision asked for is no longer kept; list again. The
	// error in hand is a [*CompactedError].
	ErrCompacted = errors.New("store: revision compacted")
	// ErrDenied: the store refuses the user, the password or the certificate.
	ErrDenied = errors.New("store: access denied")
	// ErrClosed: this store was closed.
	ErrClosed = errors.New("store: closed")
)

// UnavailableError says which store did not answer what, and what to look at.
// It matches ErrUnavailable and its cause.
type UnavailableError struct {
	Op        string   // "get", "txn", …
	Endpoints []string // as configured
	Hint      string   // for the operator
	Err       error
}

func (e *UnavailableError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "store: %s: unavailable", e.Op)
	if len(e.Endpoints) > 0 {
		fmt.Fprintf(&b, " at %s", strings.Join(e.Endpoints, ", "))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }
func (e *UnavailableError) Unwrap() error        { return e.Err }

// CompactedError carries the oldest revision that is still kept.
type CompactedError struct{ Oldest int64 }

func (e *CompactedError) Error() string {
	return fmt.Sprintf("store: revision compacted, the oldest kept is %d", e.Oldest)
}
func (e *CompactedError) Is(target error) bool { return target == ErrCompacted }
