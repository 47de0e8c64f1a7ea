package rtmp

import (
	"strings"
	"testing"

	"weir/amf"
)

func TestStripSetDataFrame(t *testing.T) {
	meta := amf.Append0(amf.Append0(nil, "onMetaData"), amf.ECMAArray{{Key: "width", Value: 1280}})
	framed := append([]byte(setDataFrame), meta...)
	if got, ok := StripSetDataFrame(framed); !ok || string(got) != string(meta) {
		t.Error(got, ok)
	}
	for _, p := range [][]byte{meta, nil, framed[:10]} {
		if got, ok := StripSetDataFrame(p); ok || string(got) != string(p) {
			t.Error(got, ok)
		}
	}
	wantNoAllocs(t, "StripSetDataFrame", func() { StripSetDataFrame(framed) })
	for _, m := range []Message{{Type: DataAMF0, Payload: meta}, {Type: DataAMF0, Payload: framed}, {Type: DataAMF3, Payload: append([]byte{0}, framed...)}} {
		if o, ok := ParseMetadata(&m, amf.Limits{}); !ok || o.Number("width") != 1280 {
			t.Errorf("%x: %v %v", m.Payload, o, ok)
		}
	}
	for _, p := range [][]byte{nil, framed[:20], amf.Append0(nil, 1.0), amf.Append0(nil, "onMetaData"), amf.Append0(amf.Append0(nil, "onTextData"), amf.Object{})} {
		if o, ok := ParseMetadata(&Message{Type: DataAMF0, Payload: p}, amf.Limits{}); ok {
			t.Errorf("%x: %v", p, o)
		}
	}
}

// The metadata of every real publisher is found.
func TestCapturedMetadata(t *testing.T) {
	for _, c := range captures(t) {
		publishes := strings.Contains(c.name, "publish") || strings.Contains(c.name, "push")
		if c.client != publishes {
			continue
		}
		found := false
		for _, m := range c.messages(t) {
			if m.Type == DataAMF0 {
				o, ok := ParseMetadata(&m, amf.Limits{})
				found = found || ok && len(o) > 2
			}
		}
		if !found {
			t.Errorf("%s: none", c.name)
		}
	}
}
