package amf

// firstMembers is the capacity that a list of members or elements starts with,
// whatever count was announced; it then doubles with what arrives.
const firstMembers = 4

// value0 reads one AMF0 value.
func (d *Decoder) value0() (any, error) {
	v, err := d.begin()
	if err != nil {
		return nil, err
	}
	switch v.marker {
	case m0Number:
		return boxed(d.float(v))
	case m0Boolean:
		b, err := d.take(v, 1)
		if err != nil {
			return nil, err
		}
		return b[0] != 0, nil
	case m0String:
		return boxed(d.string0(v))
	case m0LongString:
		return boxed(d.longString0(v))
	case m0XMLDocument:
		s, err := d.longString0(v)
		return boxed(XMLDocument(s), err)
	case m0Null:
		return nil, nil
	case m0Undefined:
		return Undefined{}, nil
	case m0Unsupported:
		return Unsupported{}, nil
	case m0Date:
		return d.date0(v)
	case m0Object, m0ECMAArray, m0TypedObject:
		return d.object0(v)
	case m0StrictArray:
		return d.strictArray0(v)
	case m0Reference:
		i, err := d.u16(v)
		if err != nil {
			return nil, err
		}
		return d.resolve(v, d.refs0, i)
	case m0AVMPlus:
		d.inAMF3 = 3
		x, err := d.value3()
		if err == nil {
			d.inAMF3 = d.version
		}
		return x, err
	}
	// MovieClip (4) and RecordSet (14) are reserved and have no stated form;
	// ObjectEnd (9) is no value.
	return nil, d.fail(v, ReasonMarker)
}

// boxed returns nothing but the error, if there is one.
func boxed[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (d *Decoder) string0(v value) (string, error) {
	n, err := d.u16(v)
	if err != nil {
		return "", err
	}
	return d.text(v, n)
}

func (d *Decoder) longString0(v value) (string, error) {
	n, err := d.count(v)
	if err != nil {
		return "", err
	}
	return d.text(v, n)
}

func (d *Decoder) date0(v value) (any, error) {
	ms, err := d.float(v)
	if err != nil {
		return nil, err
	}
	zone, err := d.u16(v)
	if err != nil {
		return nil, err
	}
	return Date{Milliseconds: ms, Zone: int16(zone)}, nil
}

// object0 reads the three kinds that are lists of named members. The count of
// an ECMA array is a hint, and a wrong one in many files; the end marker counts.
func (d *Decoder) object0(v value) (any, error) {
	f, err := d.enter(v, &d.refs0)
	if err != nil {
		return nil, err
	}
	var class string
	switch v.marker {
	case m0ECMAArray:
		_, err = d.u32(v)
	case m0TypedObject:
		class, err = d.string0(v)
	}
	if err != nil {
		return nil, err
	}
	ps, err := d.members0(v)
	if err != nil {
		return nil, err
	}
	var x any
	switch v.marker {
	case m0ECMAArray:
		x = ECMAArray(ps)
	case m0TypedObject:
		x = TypedObject{Class: class, Properties: ps}
	default:
		x = ps
	}
	d.leave(f, x)
	return x, nil
}

// members0 reads members up to the empty name with an end marker. An empty name
// with another marker behind it is a member.
func (d *Decoder) members0(v value) (Object, error) {
	ps := Object{}
	for {
		key, err := d.string0(v)
		if err != nil {
			return nil, err
		}
		if key == "" && d.rest() > 0 && d.p[d.off] == m0ObjectEnd {
			d.off++
			return ps, nil
		}
		x, err := d.value0()
		if err != nil {
			return nil, err
		}
		if cap(ps) == 0 {
			ps = make(Object, 0, firstMembers)
		}
		ps = append(ps, Property{Key: key, Value: x})
	}
}

func (d *Decoder) strictArray0(v value) (any, error) {
	f, err := d.enter(v, &d.refs0)
	if err != nil {
		return nil, err
	}
	n, err := d.count(v)
	if err != nil {
		return nil, err
	}
	a, err := d.elements(n, d.value0)
	if err != nil {
		return nil, err
	}
	d.leave(f, a)
	return a, nil
}

// elements reads n values; the slice grows as they come.
func (d *Decoder) elements(n int, next func() (any, error)) (StrictArray, error) {
	a := StrictArray{}
	for range n {
		x, err := next()
		if err != nil {
			return nil, err
		}
		if cap(a) == 0 {
			a = make(StrictArray, 0, min(n, firstMembers))
		}
		a = append(a, x)
	}
	return a, nil
}
