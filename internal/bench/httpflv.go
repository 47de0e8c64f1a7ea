package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"weir/flv"
	"weir/rtmp"
)

// httpFLV is a viewer over HTTP: one GET, and an endless FLV file in answer.
type httpFLV struct {
	nc      net.Conn
	read    atomic.Int64
	tags    *flv.Reader
	begun   bool
	message rtmp.Message
}

const (
	// flvBuffer is what one read takes while the file is parsed. Why not larger: it is a viewer's.
	flvBuffer = 4 << 10
	// flvPayload is the longest tag, as RTMP's messages.
	flvPayload = 8 << 20
)

// StatusError is an answer other than 200.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP %d", e.Code) }

// get asks for the stream.
func get(ctx context.Context, nc net.Conn, t Target) (*httpFLV, error) {
	h := &httpFLV{nc: nc}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Scheme+"://"+t.Host+"/"+t.Key()+t.Ext+t.Query, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "weir bench")
	if err := r.Write(nc); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(counted{h}, flvBuffer), r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, &StatusError{answer.StatusCode}
	}
	// In chunks, as most servers send it, or to the connection's end: the body is without them.
	h.tags = flv.NewReader(bufio.NewReaderSize(answer.Body, flvBuffer), flvPayload)
	return h, nil
}

// counted reads from the connection.
type counted struct{ h *httpFLV }

func (c counted) Read(p []byte) (int, error) {
	n, err := c.h.nc.Read(p)
	c.h.read.Add(int64(n))
	return n, err
}

// NetConn implements wire.
func (h *httpFLV) NetConn() net.Conn { return h.nc }

// BytesIn implements wire; HTTP's own are among them.
func (h *httpFLV) BytesIn() int64 { return h.read.Load() }

// next implements wire.
func (h *httpFLV) next() (*rtmp.Message, error) {
	if !h.begun {
		if _, err := h.tags.ReadHeader(); err != nil {
			return nil, err
		}
		h.begun = true
	}
	tag, err := h.tags.ReadTag()
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	h.message = rtmp.Message{Type: rtmp.MessageType(tag.Type), Timestamp: tag.Timestamp, Payload: tag.Payload}
	return &h.message, err
}
