package web

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// requestBody is a request's body, each read of which has to bring something in time.
type requestBody struct {
	r       io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	p       *passing
}

func (b *requestBody) Read(buf []byte) (int, error) {
	b.p.read.Store(true)
	if b.stall > 0 {
		b.control.SetReadDeadline(time.Now().Add(b.stall))
	}
	n, err := b.r.Read(buf)
	b.p.arrived(n)
	var timeout net.Error
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		if b.stall > 0 {
			b.control.SetReadDeadline(time.Time{}) // what follows is the server's to time
		}
	case errors.As(err, &timeout) && timeout.Timeout():
		err = errBody
		fallthrough
	default:
		var fault error = &bodyFault{err}
		b.p.badBody.CompareAndSwap(nil, &fault)
	}
	return n, err
}

// bodyFault is what a client did wrong with its body.
type bodyFault struct{ err error }

func (e *bodyFault) Error() string { return "the request's body: " + e.err.Error() }
func (e *bodyFault) Unwrap() error { return e.err }

func (b *requestBody) Close() error { return b.r.Close() }
