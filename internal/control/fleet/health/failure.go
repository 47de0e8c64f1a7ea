package health

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// What a check ended with, in HAProxy's words (management.txt 9.1, check_status).
const (
	connected      = "L4OK"   // tcp: accepted
	connectTimeout = "L4TOUT" // no answer to the connection
	connectRefused = "L4CON"  // refused, unreachable, unknown
	answered       = "L7OK"   // rtmp, http: a good answer
	answerTimeout  = "L7TOUT" // accepted, then silence
	answerBroken   = "L7RSP"  // ended, or not the protocol
	answerStatus   = "L7STS"  // http: an answer that says no
)

// Failure is a check that failed.
type Failure struct {
	Status string // in HAProxy's words
	Code   int    // of an HTTP answer
	Reason string // for an operator
}

func (f *Failure) Error() string { return f.Reason }

// dialFailure says why a connection to addr did not come about.
func dialFailure(addr string, err error, timeout time.Duration) *Failure {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return &Failure{Status: connectRefused, Reason: fmt.Sprintf("%s: there is no such host", addr)}
	case timedOut(err):
		return &Failure{Status: connectTimeout, Reason: fmt.Sprintf("%s: no answer to the connection within %s", addr, timeout)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Failure{Status: connectRefused, Reason: fmt.Sprintf("%s: connection refused, nothing listens there", addr)}
	}
	return &Failure{Status: connectRefused, Reason: fmt.Sprintf("%s: %v", addr, bare(err))}
}

// silence is a server that has accepted the connection and says nothing.
func silence(addr, what string, timeout time.Duration) *Failure {
	return &Failure{Status: answerTimeout,
		Reason: fmt.Sprintf("%s: accepts connections, but no %s within %s: frozen or overloaded", addr, what, timeout)}
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

// bare is an error without the operation and the addresses that package net puts before it.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	return err
}
