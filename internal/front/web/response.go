package web

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

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
			w.p.closeAtEnd(w.raw.nc)
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
