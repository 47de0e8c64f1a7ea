package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// rawStream is the way to an HTTP/1.1 client for as long as a stream lasts. It frames the
// answer's chunks itself, so that each is one write: net/http's own writer has 4 KiB,
// and makes three writes of what is longer. The connection ends with the stream.
type rawStream struct {
	nc   net.Conn
	left context.CancelCauseFunc
	buf  [chunkHead + copyBytes + 2]byte
}

const (
	// chunkHead is room for a chunk's length and line end.
	chunkHead = 6 // 4000 CR LF, of copyBytes

	// maxChatter is what a client may send while it watches. It has nothing to say.
	maxChatter = 4 << 10
)

// errLeft is the end of a client that has hung up.
var errLeft = fmt.Errorf("web: the client has left: %w", context.Canceled)

// takeOver makes the connection of w a raw stream; nil: it cannot be one. Its header is on its way
// when it returns.
func (w *response) takeOver(status int) *rawStream {
	nc, rw, err := w.control.Hijack()
	if err != nil {
		return nil
	}
	s := &rawStream{nc: nc, left: w.p.expire}
	fmt.Fprintf(rw, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	h := w.Header()
	if h.Get("Date") == "" {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	h.Set("Transfer-Encoding", "chunked")
	h.Set("Connection", "close")
	h.Write(rw)
	rw.WriteString("\r\n")
	if w.stall > 0 {
		nc.SetWriteDeadline(time.Now().Add(w.stall))
	}
	if err := rw.Flush(); err != nil {
		s.left(errLeft)
	}
	go s.listen()
	return s
}

// listen hears the client leave.
func (s *rawStream) listen() {
	var b [256]byte
	for n := 0; n < maxChatter; {
		m, err := s.nc.Read(b[:])
		if n += m; err != nil {
			break
		}
	}
	s.left(errLeft)
}

func (s *rawStream) write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		piece := b[n:min(len(b), n+copyBytes)]
		head := append(strconv.AppendInt(s.buf[:0], int64(len(piece)), 16), '\r', '\n')
		chunk := append(append(head, piece...), '\r', '\n')
		if _, err = s.nc.Write(chunk); err == nil {
			n += len(piece)
		}
	}
	return n, err
}

// end says that the answer is whole.
func (s *rawStream) end() { s.nc.Write([]byte("0\r\n\r\n")) }
