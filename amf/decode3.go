package amf

// value3 reads one AMF3 value.
func (d *Decoder) value3() (any, error) {
	v, err := d.begin()
	if err != nil {
		return nil, err
	}
	switch v.marker {
	case m3Undefined:
		return Undefined{}, nil
	case m3Null:
		return nil, nil
	case m3False:
		return false, nil
	case m3True:
		return true, nil
	case m3Integer:
		u, err := d.u29(v)
		return boxed(int32(u<<3)>>3, err) // the 29th bit is the sign
	case m3Double:
		return boxed(d.float(v))
	case m3String:
		return boxed(d.string3(v))
	}
	// All that follows may be a reference to an earlier one.
	u, inline, err := d.flag(v)
	if err != nil {
		return nil, err
	}
	if v.marker > m3Dictionary {
		return nil, d.fail(v, ReasonMarker)
	}
	if !inline {
		return d.resolve(v, d.refs3, int(u))
	}
	switch v.marker {
	case m3XMLDocument:
		s, err := d.text(v, int(u))
		if err != nil {
			return nil, err
		}
		return d.share(XMLDocument(s), len(s)), nil
	case m3XML:
		s, err := d.text(v, int(u))
		if err != nil {
			return nil, err
		}
		return d.share(XML(s), len(s)), nil
	case m3ByteArray:
		return d.byteArray3(v, int(u))
	case m3Date:
		ms, err := d.float(v)
		if err != nil {
			return nil, err
		}
		return d.share(Date{Milliseconds: ms}, 0), nil
	case m3Array:
		return d.array3(v, int(u))
	case m3Object:
		return d.object3(v, u)
	case m3VectorInt, m3VectorUint, m3VectorDouble:
		return d.vector3(v, int(u))
	case m3VectorObject:
		return d.vectorObject3(v, int(u))
	}
	return d.dictionary3(v, int(u))
}

// u29 reads an integer of 1 to 4 bytes (§1.3.1): seven bits a byte while the top
// bit is set, eight bits in the fourth.
func (d *Decoder) u29(v value) (uint32, error) {
	var u uint32
	for i := range 4 {
		b, err := d.take(v, 1)
		if err != nil {
			return 0, err
		}
		if i == 3 {
			return u<<8 | uint32(b[0]), nil
		}
		u = u<<7 | uint32(b[0]&0x7F)
		if b[0] < 0x80 {
			break
		}
	}
	return u, nil
}

// flag reads a U29 whose lowest bit says whether the rest is a length, count or
// set of flags of something that follows (inline) or an index.
func (d *Decoder) flag(v value) (rest uint32, inline bool, err error) {
	u, err := d.u29(v)
	return u >> 1, u&1 == 1, err
}

// string3 reads a string or a reference to one. The empty string is never in
// the table (§1.3.2).
func (d *Decoder) string3(v value) (string, error) {
	u, inline, err := d.flag(v)
	if err != nil {
		return "", err
	}
	if !inline {
		if int(u) >= len(d.strings) {
			return "", d.fail(v, ReasonReference)
		}
		s := d.strings[u]
		return s, d.spend(v, 0, len(s))
	}
	s, err := d.text(v, int(u))
	if err == nil && s != "" {
		d.strings = append(d.strings, s)
	}
	return s, err
}

// members3 appends name and value pairs up to the empty name.
func (d *Decoder) members3(v value, ps Object) (Object, error) {
	for {
		key, err := d.string3(v)
		if err != nil {
			return nil, err
		}
		if key == "" {
			return ps, nil
		}
		if ps, err = d.member3(ps, key); err != nil {
			return nil, err
		}
	}
}

func (d *Decoder) member3(ps Object, key string) (Object, error) {
	x, err := d.value3()
	if err != nil {
		return nil, err
	}
	if cap(ps) == 0 {
		ps = make(Object, 0, firstMembers)
	}
	return append(ps, Property{Key: key, Value: x}), nil
}
