package web

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

var (
	errBody    = errors.New("web: the request's body stalled")
	errSilent  = errors.New("web: the server fell silent")
	errClosing = errors.New("web: this node stops")
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
	b.p.in.Add(int64(n))
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

// answerBody is a server's answer; a server that sends nothing for too long ends the
// request. Time in which the client does not take what there is does not count.
type answerBody struct {
	io.ReadCloser
	silence time.Duration
	p       *passing
	end     func()
	timer   *time.Timer

	// gather is how long what comes in small pieces waits for more. A stream is a piece
	// a frame; each costs a wake-up, a read and a write.
	gather time.Duration
	gone   <-chan struct{} // the request is over
	last   time.Time       // of the last read, if it was small; else zero
	pause  *time.Timer
}

// whole is a read that is passed on at once: more is likely there already.
const whole = copyBytes / 2

func (b *answerBody) wait() {
	if b.last.IsZero() {
		return
	}
	left := b.gather - time.Since(b.last)
	if left <= 0 {
		return
	}
	if b.pause == nil {
		b.pause = time.NewTimer(left)
	} else {
		b.pause.Reset(left)
	}
	select {
	case <-b.pause.C:
	case <-b.gone:
	}
}

func (b *answerBody) Read(buf []byte) (int, error) {
	b.wait()
	if b.silence > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.silence, func() { b.p.expire(errSilent) })
		} else {
			b.timer.Reset(b.silence)
		}
	}
	n, err := b.ReadCloser.Read(buf)
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.last = (time.Time{}); b.gather > 0 && n < whole {
		b.last = time.Now()
	}
	return n, err
}

func (b *answerBody) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

// response is the way to the client, which has to take what it is sent in time.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	p       *passing
	out     atomic.Int64 // bytes
	sinks   []*atomic.Int64

	raw *rawStream // of a stream by HTTP/1.1, once it has begun
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.p.status = status
	}
	if status == http.StatusOK && w.p.raw {
		if w.raw = w.takeOver(status); w.raw != nil {
			return
		}
	}
	w.arm()
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (n int, err error) {
	w.arm()
	if w.raw != nil {
		n, err = w.raw.write(b)
	} else {
		n, err = w.ResponseWriter.Write(b)
	}
	w.sent(n)
	return n, err
}

// FlushError is for http.ResponseController.
func (w *response) FlushError() error {
	if w.raw != nil {
		return nil
	}
	return w.control.Flush()
}

func (w *response) arm() {
	switch {
	case w.stall <= 0:
	case w.raw != nil:
		w.raw.nc.SetWriteDeadline(time.Now().Add(w.stall))
	default:
		w.control.SetWriteDeadline(time.Now().Add(w.stall))
	}
}

// end says that the answer is whole; close leaves it as it is.
func (w *response) end() {
	if w.raw != nil {
		w.raw.end()
	}
}

func (w *response) close() {
	if w.raw != nil {
		w.raw.nc.Close()
	}
}

func (w *response) sent(n int) {
	w.out.Add(int64(n))
	for _, s := range w.sinks {
		s.Add(int64(n))
	}
}

// Hijack gives the connection away for an upgrade.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := w.control.Hijack()
	if err != nil || w.p.tunnel == nil {
		return nc, rw, err
	}
	return w.p.tunnel.client(nc), rw, nil
}
