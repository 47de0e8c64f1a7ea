package flv

import "io"

// Header is the header of a file.
type Header struct{ Audio, Video bool }

// Reader reads a file tag by tag.
type Reader struct{ r io.Reader }

// NewReader returns a Reader of r. maxPayload bounds a tag, in bytes; 0 means DefaultMaxPayload.
func NewReader(r io.Reader, maxPayload int) *Reader { return &Reader{r: r} }

// ReadHeader reads the header.
func (r *Reader) ReadHeader() (Header, error) { return Header{}, io.EOF }

// ReadTag reads the next tag; its payload is valid until the next call.
func (r *Reader) ReadTag() (Tag, error) { return Tag{}, io.EOF }
