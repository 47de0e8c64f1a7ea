package rtmp

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"weir/amf"
)

// The cases of "bytes from strangers" at the level of commands, each by its name.

// converse plays packets to a server that accepts everything.
func converse(t *testing.T, o Options, packets ...[]byte) (said []string, s *ServerConn, err error) {
	t.Helper()
	nc := newScripted(packets...)
	s = NewServerConn(nc, o)
	_, err = serve(t, s)
	return nc.said(t), s, err
}

func TestStrangerCommandBeforeConnect(t *testing.T) {
	for name, packet := range map[string][]byte{
		"publish":      call(1, "publish", 0.0, nil, "a", "live"),
		"createStream": call(0, "createStream", 1.0, nil),
		"video":        media(1, Video, "v"),
		"data":         media(0, DataAMF0, setDataFrame),
	} {
		said, _, err := converse(t, Options{}, packet)
		if reasonOf(err) != ReasonConnectExpected {
			t.Errorf("%s: %v", name, err)
		}
		if want := map[bool]string{true: "_error 1 NetConnection.Call.Failed"}[name == "createStream"]; said[0] != want {
			t.Errorf("%s: said %q", name, said)
		}
	}
}

func TestStrangerSecondConnect(t *testing.T) {
	_, _, err := converse(t, Options{}, connectTo("a"), connectTo("b"))
	if reasonOf(err) != ReasonSecondConnect {
		t.Error(err)
	}
}

func TestStrangerPublishesAndPlaysOnOneStream(t *testing.T) {
	said, _, err := converse(t, Options{}, connectTo("live"), call(0, "createStream", 2.0, nil),
		call(1, "publish", 0.0, nil, "a", "live"), call(1, "play", 0.0, nil, "a"), call(1, "publish", 0.0, nil, "b", "live"), media(1, Video, "v"))
	if err != io.EOF {
		t.Fatal(err)
	}
	if said[3] != "onStatus@1 NetStream.Play.Failed" || said[4] != "onStatus@1 NetStream.Publish.Denied" {
		t.Errorf("%q", said)
	}
}

func TestStrangerUsesStreamsThatDoNotExist(t *testing.T) {
	said, s, err := converse(t, Options{}, connectTo("live"), call(0, "publish", 0.0, nil, "a", "live"), call(7, "play", 0.0, nil, "a"),
		cat(media(1, Video, "v"), media(0, Audio, "a"), media(1<<31, DataAMF0, "d")),
		cat(call(0, "deleteStream", 0.0, nil, 9.0), call(0, "deleteStream", 0.0, nil, -1.0), call(0, "deleteStream", 0.0, nil, math.NaN()),
			call(0, "deleteStream", 0.0, nil, 1e300), call(0, "deleteStream", 0.0), call(5, "closeStream", 0.0, nil)))
	if err != io.EOF {
		t.Fatal(err)
	}
	want := []string{accepted, "onStatus NetStream.Publish.Denied", "onStatus@7 NetStream.Play.Failed", "", ""}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", said)
	}
	if n := s.Dropped(ReasonUnknownStream); n != 3 {
		t.Errorf("%d dropped", n)
	}
}

func TestStrangerPlayerSendsMedia(t *testing.T) {
	packets := [][]byte{connectTo("live"), call(0, "createStream", 2.0, nil), call(1, "play", 0.0, nil, "a")}
	for range 1000 {
		packets = append(packets, media(1, DataAMF0, "d"))
	}
	packets = append(packets, call(1, "pause", 0.0, nil, true, 0.0))
	said, s, err := converse(t, Options{}, packets...)
	if err != io.EOF || s.Dropped(ReasonNotPublishing) != 1000 || said[len(said)-1] == "" {
		t.Errorf("%v, %d dropped", err, s.Dropped(ReasonNotPublishing))
	}
}

func TestStrangerSendsSharedObjects(t *testing.T) {
	_, s, err := converse(t, Options{}, connectTo("live"), cat(media(0, SharedObjectAMF0, "x"), media(0, SharedObjectAMF3, "x"), media(0, 99, "x")))
	if err != io.EOF || s.Dropped(ReasonUnknownMessage) != 3 {
		t.Errorf("%v, %d dropped", err, s.Dropped(ReasonUnknownMessage))
	}
}

func TestStrangerCreatesAMillionStreams(t *testing.T) {
	packets := [][]byte{connectTo("live")}
	one := call(0, "createStream", 2.0, nil)
	for range 1 << 20 / 64 {
		packets = append(packets, cat(one, one))
	}
	nc := newScripted(packets...)
	s := NewServerConn(nc, Options{})
	if _, err := serve(t, s); reasonOf(err) != ReasonTooManyStreams {
		t.Fatal(err)
	}
	if len(s.streams) != MaxNetStreams {
		t.Errorf("%d streams", len(s.streams))
	}
	if nc.at > MaxRefusals {
		t.Errorf("it took %d packets", nc.at)
	}
	var said string
	for _, w := range nc.said(t) {
		said += w + ", "
	}
	if strings.Count(said, "_result 2 ") != MaxNetStreams || strings.Count(said, "_error 2 NetConnection.Call.Failed") != MaxRefusals {
		t.Errorf("%.1000s", said)
	}
}

func TestNodesMayHaveMoreStreams(t *testing.T) {
	s := NewServerConn(newScripted(), Options{Limits: Limits{NetStreams: 1}})
	if s.create() != 1 || s.create() != 0 {
		t.Error("the limit does not hold")
	}
	s.SetMaxStreams(3)
	if s.create() != 2 || s.create() != 3 || s.create() != 0 {
		t.Error("the new limit does not hold")
	}
	s.remove(2)
	if s.create() != 2 {
		t.Error("a deleted stream's id is not used again")
	}
}

func TestStrangerRefusedWithoutEnd(t *testing.T) {
	packets := [][]byte{connectTo("live")}
	for range MaxRefusals + 1 {
		packets = append(packets, call(0, "nonsense", 0.0, nil))
	}
	if _, _, err := converse(t, Options{}, packets...); reasonOf(err) != ReasonCommandFlood {
		t.Error(err)
	}
}

func TestStrangerTransactions(t *testing.T) {
	for name, c := range map[string]struct {
		tx   any
		said string
		ends bool
	}{
		"NaN":      {math.NaN(), "", true},
		"infinite": {math.Inf(1), "", true},
		"text":     {"2", "", true},
		"object":   {amf.Object{}, "", true},
		"null":     {nil, "", false},
		"negative": {-1.0, "_result -1 1", false},
		"broken":   {0.5, "_result 0.5 1", false},
		"huge":     {1e300, "_result 1e+300 1", false},
	} {
		said, _, err := converse(t, Options{}, connectTo("live"), call(0, "createStream", c.tx, nil))
		if said[1] != c.said || c.ends != (reasonOf(err) == ReasonBadCommand) || !c.ends && err != io.EOF {
			t.Errorf("%s: said %q, %v", name, said[1], err)
		}
	}
}

// Missing and wrong arguments are refused or have a meaning; the connection lives.
func TestStrangerArguments(t *testing.T) {
	object := amf.Object{{Key: "streamName", Value: 7.0}}
	wrong := []any{nil, 7.0, math.NaN(), object, amf.StrictArray{}, amf.Undefined{}, true}
	for _, name := range []string{"publish", "play", "play2", "pause", "pauseRaw", "seek", "receiveAudio", "receiveVideo", "closeStream", "deleteStream",
		"releaseStream", "FCPublish", "FCUnpublish", "FCSubscribe", "FCUnsubscribe", "getStreamLength", "_checkbw", "checkBandwidth"} {
		packets := [][]byte{connectTo("live"), call(0, "createStream", 2.0, nil), call(1, name, 3.0), call(1, name, 4.0, nil)}
		for _, w := range wrong {
			packets = append(packets, call(1, name, 5.0, nil, w), call(1, name, 5.0, w, w, w, w, w, w))
		}
		// Whatever it was, the connection still works.
		packets = append(packets, call(0, "createStream", 9.0, nil))
		said, _, err := converse(t, Options{}, packets...)
		if err != io.EOF || !strings.HasPrefix(said[len(said)-1], "_result 9 ") {
			t.Errorf("%s: %v, %q", name, err, said)
		}
	}
}

func TestStrangerMalformedCommands(t *testing.T) {
	deep := amf.Append0(amf.Append0(nil, "connect"), 1.0)
	for range 100_000 {
		deep = append(deep, 10, 0, 0, 0, 1) // arrays within arrays
	}
	many := amf.Append0(amf.Append0(nil, "connect"), 1.0)
	for range MaxAMFValues {
		many = append(many, 5)
	}
	for name, p := range map[string][]byte{
		"empty":              {},
		"a number":           amf.Append0(nil, 1.0),
		"cut in the name":    {2, 0, 7, 'c', 'o', 'n'},
		"cut in an object":   amf.Append0(amf.Append0(nil, "connect"), 1.0)[:14],
		"nested arrays":      deep[:40_000],
		"thousands of nulls": many,
		"count of 2^32-1":    append(amf.Append0(amf.Append0(nil, "connect"), 1.0), 10, 0xFF, 0xFF, 0xFF, 0xFF),
		"string of 2^32-1":   append(amf.Append0(amf.Append0(nil, "connect"), 1.0), 12, 0xFF, 0xFF, 0xFF, 0xFF),
	} {
		for _, typ := range []MessageType{CommandAMF0, CommandAMF3} {
			if typ == CommandAMF3 {
				p = append([]byte{0}, p...)
			}
			wire := AppendMessage(nil, &Message{Type: typ, Payload: p}, DefaultInChunkSize)
			var err error
			resources(t, len(wire), func() { _, _, err = converse(t, Options{Limits: Limits{PreAuth: MaxCommandBytes}}, wire) })
			if reasonOf(err) != ReasonBadCommand {
				t.Errorf("%s as %v: %v", name, typ, err)
			}
		}
	}
	_, _, err := converse(t, Options{Limits: Limits{PreAuth: MaxCommandBytes}}, AppendMessage(nil, &Message{Type: CommandAMF0, Payload: deep[:40_000]}, DefaultInChunkSize))
	var cause *amf.Error
	if !errors.As(err, &cause) || cause.Reason != amf.ReasonDepth {
		t.Errorf("the cause is %v", err)
	}
}

// A connect before authorization is held to the small limit.
func TestStrangerLargeConnect(t *testing.T) {
	_, _, err := converse(t, Options{}, connectTo("live", amf.Property{Key: "x", Value: strings.Repeat("x", MaxPreAuthBytes)}))
	if reasonOf(err) != ReasonMessageSize {
		t.Error(err)
	}
}

func TestReasonsAreListedOnce(t *testing.T) {
	seen := map[Reason]bool{}
	for _, r := range Reasons() {
		if seen[r] || r == "" || strings.ContainsAny(string(r), " _A") {
			t.Errorf("%q", r)
		}
		seen[r] = true
	}
	for _, r := range []Reason{ReasonBadCommand, ReasonUnknownMessage, ReasonNotRTMP} {
		if !seen[r] {
			t.Errorf("%q is missing", r)
		}
	}
}
