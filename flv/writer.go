package flv

import "io"

// Writer writes a file, one Write call of the underlying writer for each header
// and tag.
type Writer struct {
	w   io.Writer
	off int64
	buf []byte
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// WriteHeader writes the header of the file.
func (w *Writer) WriteHeader(audio, video bool) error {
	w.buf = AppendHeader(w.buf[:0], audio, video)
	return w.flush()
}

// WriteTag writes one tag. A payload over MaxPayload is an *Error and nothing is
// written.
func (w *Writer) WriteTag(typ uint8, ts uint32, payload []byte) error {
	if len(payload) > MaxPayload {
		return &Error{Unit: "tag", Offset: w.off, Reason: ReasonTooLarge}
	}
	w.buf = AppendTag(w.buf[:0], typ, ts, payload)
	return w.flush()
}

func (w *Writer) flush() error {
	n, err := w.w.Write(w.buf)
	w.off += int64(n)
	return err
}
