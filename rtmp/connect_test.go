package rtmp

import (
	"reflect"
	"testing"

	"weir/amf"
)

// overTheWire is what a server understands of a connect.
func overTheWire(t *testing.T, c *Connect) *Connect {
	t.Helper()
	cmd, err := ParseCommand(&Message{Type: CommandAMF0, Payload: AppendCommand(nil, &Command{Name: "connect", Transaction: 1, Object: c.object(), Args: c.Args})}, amf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return parseConnect(&cmd)
}

func TestConnectGoesBothWays(t *testing.T) {
	want := Connect{
		App: "live/europe", Query: "token=a&b=c", TCURL: "rtmp://h/live/europe?token=a&b=c", FlashVer: "x", SWFURL: "s", PageURL: "p", ObjectEncoding: 3,
		FourCCList: []string{"hvc1", "*"}, VideoFourCCInfo: map[string]uint32{"hvc1": 7, "*": FourCCCanForward}, AudioFourCCInfo: map[string]uint32{"Opus": 1},
		CapsEx: CapsReconnect | CapsModEx, Args: []any{"user", "password"},
	}
	got := overTheWire(t, &want)
	want.Object, want.Transaction = got.Object, 1
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got  %+v\nwant %+v", *got, want)
	}
	if got.Object.String("type") != "nonprivate" || got.Object[0].Key != "app" {
		t.Errorf("%v", got.Object)
	}
	own := overTheWire(t, &Connect{App: "a", Object: amf.Object{{Key: "weir", Value: "x"}}})
	if own.FlashVer != defaultFlashVer || own.Object.String("weir") != "x" || own.App != "a" {
		t.Errorf("%v", own.Object)
	}
}

// A connect that was received is said again as it was, member for member.
func TestConnectIsSaidAgainAsItWas(t *testing.T) {
	for _, c := range captures(t) {
		if !c.client {
			continue
		}
		for _, m := range c.messages(t) {
			if m.Type != CommandAMF0 {
				continue
			}
			cmd, err := ParseCommand(&m, amf.Limits{})
			if err != nil || cmd.Name != "connect" {
				t.Fatal(cmd.Name, err)
			}
			first := parseConnect(&cmd)
			again := overTheWire(t, first)
			n := len(first.Object)
			if !reflect.DeepEqual(again.Object[:n], first.Object) {
				t.Errorf("%s:\ngot  %v\nwant %v", c.name, again.Object, first.Object)
			}
			if rest := again.Object[n:]; len(rest) > 1 || len(rest) == 1 && rest[0].Key != "objectEncoding" {
				t.Errorf("%s: %v was added", c.name, rest)
			}
			// To another address and application.
			first.TCURL, first.App, first.Query = "rtmp://other/b", "b", "k=v"
			other := overTheWire(t, first)
			if other.Object.String("app") != "b?k=v" || other.TCURL != "rtmp://other/b" || other.Object[0].Key != again.Object[0].Key || other.FlashVer != again.FlashVer {
				t.Errorf("%s: %v", c.name, other.Object)
			}
			break
		}
	}
}

func TestConnectQuery(t *testing.T) {
	for _, c := range []struct{ app, tcURL, wantApp, wantQuery string }{
		{"live", "rtmp://h/live", "live", ""},
		{"live?a=1", "rtmp://h/live?b=2", "live", "a=1"},
		{"live", "rtmp://h/live?b=2", "live", "b=2"},
		{"live/x/", "", "live/x/", ""},
		{"?a", "", "", "a"},
		{"a?b?c", "", "a", "b?c"},
	} {
		o := amf.Object{{Key: "app", Value: c.app}, {Key: "tcUrl", Value: c.tcURL}}
		got := parseConnect(&Command{Object: o})
		if got.App != c.wantApp || got.Query != c.wantQuery {
			t.Errorf("%+v: %q %q", c, got.App, got.Query)
		}
		if again := got.object(); again.String("app") != c.app {
			t.Errorf("%+v said again: %v", c, again)
		}
	}
}

// What a stranger puts where a number or a list is expected is no number and no
// list.
func TestConnectOfAStranger(t *testing.T) {
	for _, bad := range []any{nil, "x", -1.0, 1e300, amf.Undefined{}, true, amf.Date{}} {
		var o amf.Object
		for _, key := range []string{"app", "tcUrl", "fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx", "objectEncoding"} {
			o = append(o, amf.Property{Key: key, Value: bad})
		}
		c := parseConnect(&Command{Object: o})
		if c.CapsEx != 0 || c.FourCCList != nil || c.VideoFourCCInfo != nil {
			t.Errorf("%v: %+v", bad, c)
		}
		parseConnect(&Command{Object: bad})
	}
	c := parseConnect(&Command{Object: amf.ECMAArray{{Key: "app", Value: "a"}, {Key: "capsEx", Value: int32(3)},
		{Key: "fourCcList", Value: amf.StrictArray{"hvc1", 7.0}}, {Key: "videoFourCcInfoMap", Value: amf.ECMAArray{{Key: "*", Value: 4.0}}}}})
	if c.App != "a" || c.CapsEx != 3 || len(c.FourCCList) != 1 || c.VideoFourCCInfo["*"] != 4 {
		t.Errorf("%+v", c)
	}
}
