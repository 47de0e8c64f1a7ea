package store

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// brokenOff reports whether the other end closed a connection that was being opened. A server that
// misses a certificate says so too, but by TLS 1.3 so late that the word is lost more often than not. What
// comes by way of grpc is text.
func brokenOff(err error) bool {
	text := err.Error()
	return slices.ContainsFunc([]error{syscall.EPIPE, syscall.ECONNRESET, io.EOF}, func(e error) bool { return strings.Contains(text, e.Error()) })
}

// answersInClear reports whether a TLS handshake failed because the other end speaks none. A missing certificate
// ends it later, or with an alert.
func answersInClear(err error) bool {
	_, why, ok := strings.Cut(err.Error(), "authentication handshake failed: ")
	return ok && (strings.HasPrefix(why, io.EOF.Error()) || strings.Contains(why, "first record does not look like a TLS handshake"))
}

var errWatchEnded = errors.New("the watch ended")

// translate types an error of the client library. Whatever is not known to
// mean something else is taken as the store being unavailable: no caller can do more about it.
func translate(op string, endpoints []string, err error) error {
	var etcdErr rpctypes.EtcdError
	code := status.Code(err)
	if errors.As(err, &etcdErr) {
		code = etcdErr.Code()
	}
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound), errors.Is(rpctypes.Error(err), rpctypes.ErrLeaseNotFound):
		return ErrLeaseGone
	case code == codes.Unauthenticated, code == codes.PermissionDenied,
		errors.Is(err, rpctypes.ErrAuthFailed), errors.Is(err, rpctypes.ErrUserEmpty):
		return fmt.Errorf("%w: %s: %v (check the store's user and password)", ErrDenied, op, err)
	}
	hint := "is etcd running there, and reachable from here? etcdctl endpoint health tells"
	switch {
	case errors.Is(err, rpctypes.ErrNoLeader), errors.Is(err, rpctypes.ErrTimeoutDueToLeaderFail):
		hint = "the member has no leader: more than half of the etcd members must be up and connected"
	case errors.Is(err, rpctypes.ErrNoSpace):
		hint = "etcd's space quota is used up: compact, defragment, and disarm the alarm"
	}
	return &UnavailableError{Op: op, Endpoints: endpoints, Hint: hint, Err: err}
}
