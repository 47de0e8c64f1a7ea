package amf

const (
	minInt29 = -1 << 28
	maxInt29 = 1<<28 - 1
	maxLen3  = 1<<28 - 1 // of what a U29 with a flag can count
)

// append3 appends a value that plain has seen, within depth containers.
func append3(dst []byte, v any, depth int) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, m3Null)
	case Undefined:
		return append(dst, m3Undefined)
	case bool:
		return append(dst, m3False+bit(v))
	case int64:
		if v < minInt29 || v > maxInt29 {
			return appendFloat(append(dst, m3Double), float64(v))
		}
		return appendU29(append(dst, m3Integer), uint32(v)&(1<<29-1))
	case float64:
		return appendFloat(append(dst, m3Double), v)
	case string:
		return appendText3(dst, m3String, v)
	case XMLDocument:
		return appendText3(dst, m3XMLDocument, string(v))
	case XML:
		return appendText3(dst, m3XML, string(v))
	case ByteArray:
		return appendText3(dst, m3ByteArray, v)
	case Date:
		return appendFloat(append(dst, m3Date, 1), v.Milliseconds)
	case VectorInt:
		dst = appendVector3(dst, m3VectorInt, len(v.Values), v.Fixed)
		for _, x := range v.Values {
			dst = be.AppendUint32(dst, uint32(x))
		}
		return dst
	case VectorUint:
		dst = appendVector3(dst, m3VectorUint, len(v.Values), v.Fixed)
		for _, x := range v.Values {
			dst = be.AppendUint32(dst, x)
		}
		return dst
	case VectorDouble:
		dst = appendVector3(dst, m3VectorDouble, len(v.Values), v.Fixed)
		for _, x := range v.Values {
			dst = appendFloat(dst, x)
		}
		return dst
	}
	if depth >= maxDepth {
		return append(dst, m3Null)
	}
	switch v := v.(type) {
	case Object:
		return appendObject3(dst, "", v, depth)
	case TypedObject:
		return appendObject3(dst, v.Class, v.Properties, depth)
	case ECMAArray:
		dst = appendMembers3(append(dst, m3Array, 1), Object(v), depth)
		return dst
	case StrictArray:
		dst = appendFlag(append(dst, m3Array), len(v))
		dst = append(dst, 1) // no associative portion
		return appendValues3(dst, v, depth)
	case VectorObject:
		dst = appendVector3(dst, m3VectorObject, len(v.Values), v.Fixed)
		dst = appendName3(dst, v.Class)
		return appendValues3(dst, v.Values, depth)
	case Dictionary:
		dst = appendVector3(dst, m3Dictionary, len(v.Entries), v.Weak)
		for _, e := range v.Entries {
			dst = append3(dst, plain(e.Key), depth+1)
			dst = append3(dst, plain(e.Value), depth+1)
		}
		return dst
	case Externalizable:
		dst = appendU29(append(dst, m3Object), 7)
		dst = appendName3(dst, v.Class)
		return append3(dst, plain(v.Value), depth+1)
	}
	return append(dst, m3Undefined)
}

// appendObject3 writes a dynamic object without sealed members, as a script would
// build it. The empty name ends the dynamic members, so an object that has a
// member of that name is written with all its members sealed.
func appendObject3(dst []byte, class string, ps Object, depth int) []byte {
	dst = append(dst, m3Object)
	sealed := false
	for _, p := range ps {
		sealed = sealed || p.Key == ""
	}
	if !sealed {
		dst = appendU29(dst, 0b1011)
		dst = appendName3(dst, class)
		return appendMembers3(dst, ps, depth)
	}
	dst = appendU29(dst, uint32(min(len(ps), 1<<25-1))<<4|0b0011)
	dst = appendName3(dst, class)
	ps = ps[:min(len(ps), 1<<25-1)]
	for _, p := range ps {
		dst = appendName3(dst, p.Key)
	}
	for _, p := range ps {
		dst = append3(dst, plain(p.Value), depth+1)
	}
	return dst
}

func appendMembers3(dst []byte, ps Object, depth int) []byte {
	for _, p := range ps {
		if p.Key == "" || len(p.Key) > maxLen3 {
			continue
		}
		dst = appendName3(dst, p.Key)
		dst = append3(dst, plain(p.Value), depth+1)
	}
	return append(dst, 1)
}

func appendValues3(dst []byte, vs []any, depth int) []byte {
	for _, x := range vs[:min(len(vs), maxLen3)] {
		dst = append3(dst, plain(x), depth+1)
	}
	return dst
}

// appendVector3 writes what vectors and dictionaries begin with.
func appendVector3(dst []byte, marker byte, n int, flag bool) []byte {
	return append(appendFlag(append(dst, marker), n), bit(flag))
}

func appendText3[T string | ByteArray](dst []byte, marker byte, s T) []byte {
	if len(s) > maxLen3 {
		return append(dst, m3Undefined)
	}
	return append(appendFlag(append(dst, marker), len(s)), s...)
}

func appendName3(dst []byte, s string) []byte {
	s = s[:min(len(s), maxLen3)]
	return append(appendFlag(dst, len(s)), s...)
}

// appendFlag writes a length or count of something that follows.
func appendFlag(dst []byte, n int) []byte {
	return appendU29(dst, uint32(min(n, maxLen3))<<1|1)
}

func appendU29(dst []byte, u uint32) []byte {
	switch {
	case u < 1<<7:
		return append(dst, byte(u))
	case u < 1<<14:
		return append(dst, byte(u>>7)|0x80, byte(u)&0x7F)
	case u < 1<<21:
		return append(dst, byte(u>>14)|0x80, byte(u>>7)|0x80, byte(u)&0x7F)
	}
	return append(dst, byte(u>>22)|0x80, byte(u>>15)|0x80, byte(u>>8)|0x80, byte(u))
}
