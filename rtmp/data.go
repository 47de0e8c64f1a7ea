package rtmp

import (
	"errors"
	"io"

	"weir/amf"
)

// setDataFrame is the AMF0 string with which encoders begin the data messages
// that the server is to keep for later viewers.
const setDataFrame = "\x02\x00\x0d@setDataFrame"

// StripSetDataFrame returns the payload of an AMF0 data message without a leading
// "@setDataFrame", and whether there was one. It allocates nothing.
func StripSetDataFrame(p []byte) ([]byte, bool) {
	if len(p) >= len(setDataFrame) && string(p[:len(setDataFrame)]) == setDataFrame {
		return p[len(setDataFrame):], true
	}
	return p, false
}

// ParseData reads a data message (§7.1.2): the name of its handler, such as
// onMetaData, onTextData or onStatus, and the values behind it. A leading
// @setDataFrame is left out. For types 18 and 15.
func ParseData(m *Message, lim amf.Limits) (name string, values []any, err error) {
	p := m.Payload
	if m.Type == DataAMF3 && len(p) > 0 && p[0] == 0 {
		p = p[1:] // as for commands: AMF0 behind a zero byte
	}
	p, _ = StripSetDataFrame(p)
	d := amf.NewDecoder0(p, lim)
	for i := 0; ; i++ {
		v, err := d.Decode()
		if errors.Is(err, io.EOF) && i > 0 {
			return name, values, nil
		}
		if err != nil {
			return name, values, &Error{Reason: ReasonBadCommand, Type: m.Type, Err: err}
		}
		if i > 0 {
			values = append(values, v)
			continue
		}
		var ok bool
		if name, ok = v.(string); !ok {
			return "", nil, &Error{Reason: ReasonBadCommand, Type: m.Type, Err: errors.New("the name is not a string")}
		}
	}
}

// ParseMetadata returns the members of an onMetaData message, in order; ok is
// false for any other message. They are a stranger's words: numbers may be NaN.
func ParseMetadata(m *Message, lim amf.Limits) (meta amf.Object, ok bool) {
	name, values, err := ParseData(m, lim)
	if err != nil || name != "onMetaData" {
		return nil, false
	}
	for _, v := range values {
		if meta, ok = amf.Properties(v); ok {
			return meta, true
		}
	}
	return nil, false
}
