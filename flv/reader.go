package flv

import (
	"encoding/binary"
	"io"
)

const (
	// DefaultMaxPayload bounds a tag, in bytes. It equals the message limit of
	// RTMP in Weir: a key frame of 8K video is below, and memory is not.
	DefaultMaxPayload = 8 << 20

	// maxFileHeader bounds the header's own statement of its length, in bytes; it
	// is 9 in every version that exists.
	maxFileHeader = 1 << 10

	// firstRead is how much of a payload is made room for before any of it has
	// arrived; the room then doubles with what arrives.
	firstRead = 32 << 10
)

// Header is the header of a file.
type Header struct{ Audio, Video bool }

// Reader reads a file tag by tag. It makes two Read calls a tag, so a file or a
// connection is better wrapped in a bufio.Reader.
type Reader struct {
	r          io.Reader
	maxPayload int

	started    bool
	off        int64
	previous   uint32 // length of the last tag, 0 before the first
	mismatches int
	buf        []byte
	head       [4 + TagHeaderSize]byte
	err        error
}

// NewReader returns a Reader of r. maxPayload bounds a tag, in bytes; 0 means
// DefaultMaxPayload.
func NewReader(r io.Reader, maxPayload int) *Reader {
	if maxPayload <= 0 {
		maxPayload = DefaultMaxPayload
	}
	return &Reader{r: r, maxPayload: maxPayload}
}

// Offset returns how many bytes have been read.
func (r *Reader) Offset() int64 { return r.off }

// Mismatches counts the tags whose PreviousTagSize did not equal their length.
// Many writers get it wrong and no reader that goes forward needs it.
func (r *Reader) Mismatches() int { return r.mismatches }

// ReadHeader reads the header of the file. Without it the first ReadTag does so.
func (r *Reader) ReadHeader() (Header, error) {
	if r.err != nil {
		return Header{}, r.err
	}
	r.started = true
	b := r.head[:9]
	if n, err := r.fill(b); err != nil {
		if n == 0 && err == io.EOF {
			return Header{}, r.fail(io.EOF)
		}
		return Header{}, r.cut("file", err)
	}
	if string(b[:4]) != "FLV\x01" {
		r.off = 0
		return Header{}, r.fail(&Error{Unit: "file", Reason: ReasonSignature})
	}
	h := Header{Audio: b[4]&4 != 0, Video: b[4]&1 != 0}
	size := binary.BigEndian.Uint32(b[5:])
	if size < 9 || size > maxFileHeader {
		return Header{}, r.fail(&Error{Unit: "file", Offset: 5, Reason: ReasonSignature})
	}
	if n, err := io.CopyN(io.Discard, r.r, int64(size)-9); err != nil {
		r.off += n
		return Header{}, r.cut("file", err)
	}
	r.off = int64(size)
	return h, nil
}

// ReadTag reads the next tag; its payload is valid until the next call. It
// returns io.EOF where the file ends between two tags, an *Error where it is
// malformed, and the error of the underlying reader else; each stays.
func (r *Reader) ReadTag() (Tag, error) {
	if !r.started {
		if _, err := r.ReadHeader(); err != nil {
			return Tag{}, err
		}
	}
	if r.err != nil {
		return Tag{}, r.err
	}
	n, err := r.fill(r.head[:])
	if n >= 4 && binary.BigEndian.Uint32(r.head[:4]) != r.previous {
		r.mismatches++
	}
	if err != nil {
		// Writers that were killed leave out the last PreviousTagSize.
		if (n == 0 || n == 4) && (err == io.EOF || err == io.ErrUnexpectedEOF) {
			return Tag{}, r.fail(io.EOF)
		}
		return Tag{}, r.cut("tag", err)
	}
	h := r.head[4:]
	size := int(u24(h[1:]))
	if size > r.maxPayload {
		return Tag{}, r.fail(&Error{Unit: "tag", Offset: r.off - TagHeaderSize, Reason: ReasonTooLarge})
	}
	if err := r.fillPayload(size); err != nil {
		return Tag{}, r.cut("tag", err)
	}
	r.previous = uint32(TagHeaderSize + size)
	return Tag{
		Type:      h[0] & 0x1F,
		Encrypted: h[0]&0x20 != 0,
		Timestamp: uint32(h[7])<<24 | u24(h[4:]),
		Payload:   r.buf,
	}, nil
}

// fillPayload reads size bytes into buf, which grows as they arrive and not
// because they were announced.
func (r *Reader) fillPayload(size int) error {
	r.buf = r.buf[:0]
	for len(r.buf) < size {
		have := len(r.buf)
		want := min(size, max(cap(r.buf), firstRead, 2*have))
		if want > cap(r.buf) {
			grown := make([]byte, have, want)
			copy(grown, r.buf)
			r.buf = grown
		}
		r.buf = r.buf[:want]
		n, err := r.fill(r.buf[have:])
		if err != nil {
			r.buf = r.buf[:have+n]
			return err
		}
	}
	return nil
}

func (r *Reader) fill(b []byte) (int, error) {
	n, err := io.ReadFull(r.r, b)
	r.off += int64(n)
	return n, err
}

func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

// cut is fail for a read that did not get all it needed.
func (r *Reader) cut(unit string, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = &Error{Unit: unit, Offset: r.off, Reason: ReasonTruncated}
	}
	return r.fail(err)
}
