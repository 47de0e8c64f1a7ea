package rtmp

import (
	"maps"
	"slices"
	"strings"

	"weir/amf"
)

// The capabilities of E-RTMP v2's capsEx.
const (
	CapsReconnect           = 0x01
	CapsMultitrack          = 0x02
	CapsModEx               = 0x04
	CapsTimestampNanoOffset = 0x08
)

// What a FourCC info map says of a codec (E-RTMP v2).
const (
	FourCCCanDecode  = 0x01
	FourCCCanEncode  = 0x02
	FourCCCanForward = 0x04
)

// defaultFlashVer is what a client calls itself; servers look for the first word.
const defaultFlashVer = "FMLE/3.0 (compatible; weir)"

// Connect is the connect command (§7.2.1.1; E-RTMP v2, Enhancing NetConnection
// connect).
type Connect struct {
	App   string // as given, without a query
	Query string // of App, or of TCURL if App has none; without the question mark

	TCURL, FlashVer, SWFURL, PageURL string
	ObjectEncoding                   float64

	FourCCList                       []string
	VideoFourCCInfo, AudioFourCCInfo map[string]uint32
	CapsEx                           uint32

	// Object is the whole command object: as received, in order. When sending it is
	// what to begin with: the fields above that are set replace their members.
	Object      amf.Object
	Args        []any
	Transaction float64
}

// parseConnect reads the command.
func parseConnect(c *Command) *Connect {
	o, _ := amf.Properties(c.Object)
	r := &Connect{Object: o, Args: c.Args, Transaction: c.Transaction,
		TCURL: o.String("tcUrl"), FlashVer: o.String("flashVer"), SWFURL: o.String("swfUrl"), PageURL: o.String("pageUrl"),
		ObjectEncoding: o.Number("objectEncoding"), CapsEx: flags(o.Get("capsEx"))}
	r.App, r.Query, _ = strings.Cut(o.String("app"), "?")
	if r.Query == "" {
		_, r.Query, _ = strings.Cut(r.TCURL, "?")
	}
	if list, ok := o.Get("fourCcList").(amf.StrictArray); ok {
		for _, v := range list {
			if s, ok := v.(string); ok {
				r.FourCCList = append(r.FourCCList, s)
			}
		}
	}
	r.VideoFourCCInfo = infoMap(o.Get("videoFourCcInfoMap"))
	r.AudioFourCCInfo = infoMap(o.Get("audioFourCcInfoMap"))
	return r
}

// flags is a number from the wire as a bit set; what is none is 0.
func flags(v any) uint32 {
	if n, ok := number(v); ok && n >= 0 && n < 1<<32 {
		return uint32(n)
	}
	return 0
}

func infoMap(v any) map[string]uint32 {
	o, ok := amf.Properties(v)
	if !ok {
		return nil
	}
	m := make(map[string]uint32, len(o))
	for _, p := range o {
		m[p.Key] = flags(p.Value)
	}
	return m
}

// object is the command object to be sent: Object with its order kept, then what
// the other fields say and it does not. A field that is set wins.
func (c *Connect) object() amf.Object {
	o := c.Object.Clone()
	if o.Get("app") == nil { // not a client's own connect, said again
		// The order of encoders; nonprivate is what some servers ask of them.
		o = append(amf.Object{{Key: "app", Value: ""}, {Key: "type", Value: "nonprivate"},
			{Key: "flashVer", Value: defaultFlashVer}, {Key: "tcUrl", Value: ""}}, o...)
	}
	_, inURL, _ := strings.Cut(c.TCURL, "?")
	switch app, query, _ := strings.Cut(o.String("app"), "?"); {
	case app == c.App && (query == c.Query || query == "" && inURL == c.Query): // as it was received
	case c.Query == "":
		o.Set("app", c.App)
	default:
		o.Set("app", c.App+"?"+c.Query)
	}
	for _, f := range []amf.Property{
		{Key: "flashVer", Value: c.FlashVer}, {Key: "tcUrl", Value: c.TCURL},
		{Key: "swfUrl", Value: c.SWFURL}, {Key: "pageUrl", Value: c.PageURL},
	} {
		if f.Value != "" {
			o.Set(f.Key, f.Value)
		}
	}
	if c.ObjectEncoding != 0 || o.Get("objectEncoding") == nil {
		o.Set("objectEncoding", c.ObjectEncoding)
	}
	for _, p := range capabilities(c.FourCCList, c.VideoFourCCInfo, c.AudioFourCCInfo, c.CapsEx) {
		if o.Get(p.Key) == nil {
			o = append(o, p)
		}
	}
	return o
}

// capabilities are the E-RTMP members of a connect and of its answer.
func capabilities(list []string, video, audio map[string]uint32, caps uint32) (o amf.Object) {
	if len(list) > 0 {
		a := make(amf.StrictArray, len(list))
		for i, s := range list {
			a[i] = s
		}
		o = append(o, amf.Property{Key: "fourCcList", Value: a})
	}
	for _, m := range []struct {
		key string
		m   map[string]uint32
	}{{"videoFourCcInfoMap", video}, {"audioFourCcInfoMap", audio}} {
		if len(m.m) == 0 {
			continue
		}
		var info amf.Object
		for _, k := range slices.Sorted(maps.Keys(m.m)) {
			info = append(info, amf.Property{Key: k, Value: float64(m.m[k])})
		}
		o = append(o, amf.Property{Key: m.key, Value: info})
	}
	if caps != 0 {
		o = append(o, amf.Property{Key: "capsEx", Value: float64(caps)})
	}
	return o
}

// forwards is what a server says of itself: it forwards any codec, decodes none,
// and carries tracks and extended headers as they are.
func forwards() amf.Object {
	any := map[string]uint32{"*": FourCCCanForward}
	return capabilities([]string{"*"}, any, any, CapsMultitrack|CapsModEx|CapsTimestampNanoOffset|CapsReconnect)
}
