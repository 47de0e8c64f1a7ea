package amf

import (
	"encoding/binary"
	"io"
	"math"
)

// Decoder reads the values of one message.
//
// Invariants, at every moment: values ≤ lim.Values, bytes ≤ lim.Bytes, depth ≤
// deepest ≤ lim.Depth, off ≤ len(p), and every Decode call either advances off
// or ends the decoding. Recursion happens only between enter and leave, so its
// depth is that of the containers.
type Decoder struct {
	// Static after construction.
	p       []byte
	lim     Limits
	version int // of the top level

	// Progress.
	off    int
	inAMF3 int // version that is being read now, for errors
	err    error

	// The budget spent, and the deepest container since the innermost enter.
	values  int
	bytes   int
	depth   int
	deepest int

	// Reference tables, in the order in which the things began.
	refs0   []ref
	refs3   []ref
	strings []string
	traits  []traits
}

// NewDecoder0 returns a Decoder of the AMF0 values in p.
func NewDecoder0(p []byte, lim Limits) *Decoder {
	return &Decoder{p: p, lim: lim.withDefaults(), version: 0}
}

// NewDecoder3 returns a Decoder of the AMF3 values in p.
func NewDecoder3(p []byte, lim Limits) *Decoder {
	return &Decoder{p: p, lim: lim.withDefaults(), version: 3}
}

// Decode returns the next value, io.EOF where the input ends between two values,
// or an *Error. After an error it returns that error for ever: values do not
// state their length, so there is no way to find the next one.
func (d *Decoder) Decode() (any, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.off == len(d.p) {
		return nil, io.EOF
	}
	d.inAMF3 = d.version
	var v any
	if d.version == 3 {
		v, d.err = d.value3()
	} else {
		v, d.err = d.value0()
	}
	if d.err != nil {
		return nil, d.err
	}
	return v, nil
}

// Offset returns how many bytes have been consumed: the start of the next value,
// or after an error a place within the one at fault.
func (d *Decoder) Offset() int { return d.off }

// rest returns how many bytes are left. Announced counts are compared with it
// before anything is allocated.
func (d *Decoder) rest() int { return len(d.p) - d.off }

// value is a value that is being read: where it began and its marker.
type value struct {
	at     int
	marker byte
}

func (d *Decoder) fail(v value, reason string) error {
	return &Error{Version: d.inAMF3, Offset: v.at, Marker: v.marker, Reason: reason}
}

// begin reads a marker and pays for one value.
func (d *Decoder) begin() (value, error) {
	v := value{at: d.off}
	if d.rest() < 1 {
		return v, d.fail(v, ReasonTruncated)
	}
	v.marker = d.p[d.off]
	d.off++
	return v, d.spend(v, 1, 0)
}

// spend takes from the budget. The comparisons cannot overflow: n is at most
// what another part of the same budget held.
func (d *Decoder) spend(v value, values, bytes int) error {
	if values > d.lim.Values-d.values {
		return d.fail(v, ReasonValues)
	}
	if bytes > d.lim.Bytes-d.bytes {
		return d.fail(v, ReasonBytes)
	}
	d.values += values
	d.bytes += bytes
	return nil
}

// take returns the next n bytes, which are part of the input.
func (d *Decoder) take(v value, n int) ([]byte, error) {
	if n > d.rest() {
		return nil, d.fail(v, ReasonTruncated)
	}
	b := d.p[d.off : d.off+n]
	d.off += n
	return b, nil
}

// text returns the next n bytes as a string of its own, paid for.
func (d *Decoder) text(v value, n int) (string, error) {
	b, err := d.take(v, n)
	if err != nil {
		return "", err
	}
	if err := d.spend(v, 0, n); err != nil {
		return "", err
	}
	return string(b), nil
}

func (d *Decoder) u16(v value) (int, error) {
	b, err := d.take(v, 2)
	if err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint16(b)), nil
}

// u32 is returned as an int64, so that it is the number that was sent on
// machines of 32 bits too.
func (d *Decoder) u32(v value) (int64, error) {
	b, err := d.take(v, 4)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint32(b)), nil
}

// count reads a 32-bit count or length of things that take at least one byte each.
func (d *Decoder) count(v value) (int, error) {
	n, err := d.u32(v)
	if err != nil {
		return 0, err
	}
	if n > int64(d.rest()) {
		return 0, d.fail(v, ReasonTruncated)
	}
	return int(n), nil
}

func (d *Decoder) float(v value) (float64, error) {
	b, err := d.take(v, 8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}
