package amf

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// array3 reads an array (§3.11): the associative portion, then n dense elements.
func (d *Decoder) array3(v value, n int) (any, error) {
	f, err := d.enter(v, &d.refs3)
	if err != nil {
		return nil, err
	}
	ps, err := d.members3(v, nil)
	if err != nil {
		return nil, err
	}
	if n > d.rest() {
		return nil, d.fail(v, ReasonTruncated)
	}
	a, err := d.elements(n, d.value3)
	if err != nil {
		return nil, err
	}
	if len(ps) == 0 {
		d.leave(f, a)
		return a, nil
	}
	for i, x := range a {
		ps = append(ps, Property{Key: strconv.Itoa(i), Value: x})
	}
	// The names of the dense elements were not sent, but will be from here on.
	if err := d.spend(v, 0, len("1024")*len(a)); err != nil {
		return nil, err
	}
	x := ECMAArray(ps)
	d.leave(f, x)
	return x, nil
}

func (d *Decoder) byteArray3(v value, n int) (any, error) {
	b, err := d.take(v, n)
	if err != nil {
		return nil, err
	}
	if err := d.spend(v, 0, n); err != nil {
		return nil, err
	}
	return d.share(ByteArray(bytes.Clone(b)), n), nil
}

// vector3 reads a vector of numbers (§3.15). Its elements are paid for as bytes:
// they take no more in memory than on the wire. n has at most 28 bits.
func (d *Decoder) vector3(v value, n int) (any, error) {
	fixed, err := d.take(v, 1)
	if err != nil {
		return nil, err
	}
	width := 4
	if v.marker == m3VectorDouble {
		width = 8
	}
	if n > d.rest()/width {
		return nil, d.fail(v, ReasonTruncated)
	}
	if err := d.spend(v, 0, n*width); err != nil {
		return nil, err
	}
	b, err := d.take(v, n*width)
	if err != nil {
		return nil, err
	}
	var x any
	switch v.marker {
	case m3VectorInt:
		s := make([]int32, n)
		for i := range s {
			s[i] = int32(binary.BigEndian.Uint32(b[i*4:]))
		}
		x = VectorInt{Fixed: fixed[0] != 0, Values: s}
	case m3VectorUint:
		s := make([]uint32, n)
		for i := range s {
			s[i] = binary.BigEndian.Uint32(b[i*4:])
		}
		x = VectorUint{Fixed: fixed[0] != 0, Values: s}
	default:
		s := make([]float64, n)
		for i := range s {
			s[i] = math.Float64frombits(binary.BigEndian.Uint64(b[i*8:]))
		}
		x = VectorDouble{Fixed: fixed[0] != 0, Values: s}
	}
	return d.share(x, n*width), nil
}

func (d *Decoder) vectorObject3(v value, n int) (any, error) {
	f, err := d.enter(v, &d.refs3)
	if err != nil {
		return nil, err
	}
	fixed, err := d.take(v, 1)
	if err != nil {
		return nil, err
	}
	class, err := d.string3(v)
	if err != nil {
		return nil, err
	}
	if n > d.rest() {
		return nil, d.fail(v, ReasonTruncated)
	}
	a, err := d.elements(n, d.value3)
	if err != nil {
		return nil, err
	}
	x := VectorObject{Fixed: fixed[0] != 0, Class: class, Values: a}
	d.leave(f, x)
	return x, nil
}

// dictionary3 reads n pairs (§3.16). A pair is paid for as its two values.
func (d *Decoder) dictionary3(v value, n int) (any, error) {
	f, err := d.enter(v, &d.refs3)
	if err != nil {
		return nil, err
	}
	weak, err := d.take(v, 1)
	if err != nil {
		return nil, err
	}
	if n > d.rest()/2 {
		return nil, d.fail(v, ReasonTruncated)
	}
	var es []Entry
	for range n {
		k, err := d.value3()
		if err != nil {
			return nil, err
		}
		x, err := d.value3()
		if err != nil {
			return nil, err
		}
		es = append(es, Entry{Key: k, Value: x})
	}
	x := Dictionary{Weak: weak[0] != 0, Entries: es}
	d.leave(f, x)
	return x, nil
}
