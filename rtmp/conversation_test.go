package rtmp

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"weir/amf"
)

// scripted is a connection on which the client's packets are known beforehand. It
// gives one of them a read, and counts the writes between two packets.
type scripted struct {
	net.Conn // nil: what is not below is not called
	packets  [][]byte
	at       int
	rest     []byte
	out      [][]byte // what was written since the packet of that index; 0: before any
	writes   []int
}

func newScripted(packets ...[]byte) *scripted {
	return &scripted{packets: packets, out: make([][]byte, len(packets)+1), writes: make([]int, len(packets)+1)}
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.at == len(s.packets) {
			return 0, io.EOF
		}
		s.rest = s.packets[s.at]
		s.at++
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *scripted) Write(p []byte) (int, error) {
	s.out[s.at] = append(s.out[s.at], p...)
	s.writes[s.at]++
	return len(p), nil
}

func (s *scripted) SetWriteDeadline(time.Time) error { return nil }
func (s *scripted) SetReadDeadline(time.Time) error  { return nil }
func (s *scripted) Close() error                     { return nil }

// tell says in a word what a message says: "_result 4 1", "onStatus@1
// NetStream.Play.Start", "StreamBegin 1".
func tell(t testing.TB, m Message) string {
	t.Helper()
	switch {
	case m.Type == UserControl:
		ctl, err := ParseControl(&m)
		if err != nil {
			t.Fatal(err)
		}
		name := map[UserControlType]string{StreamBegin: "StreamBegin", StreamEOF: "StreamEOF"}[ctl.Event]
		return fmt.Sprintf("%s %d", name, ctl.Value)
	case m.Type == DataAMF0:
		name, _, err := ParseData(&m, amf.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s@%d", name, m.StreamID)
	case !m.Type.IsCommand():
		return m.Type.String()
	}
	c, err := ParseCommand(&m, amf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := c.Name
	if m.StreamID != 0 {
		s += fmt.Sprintf("@%d", m.StreamID)
	}
	if c.Transaction != 0 {
		s += fmt.Sprintf(" %v", c.Transaction)
	}
	for _, a := range c.Args {
		if info, ok := amf.Properties(a); ok {
			s += " " + info.String("code")
		} else if n, ok := a.(float64); ok {
			s += fmt.Sprintf(" %v", n)
		}
	}
	return s
}

// said is what was written after each packet, and fails on more than one write.
func (s *scripted) said(t testing.TB) []string {
	t.Helper()
	d := NewDecoder(Limits{})
	var out []string
	for i, b := range s.out {
		if s.writes[i] > 1 {
			t.Errorf("%d writes after packet %d", s.writes[i], i)
		}
		ms, err := decodeAll(d, b, whole)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, m := range ms {
			words = append(words, tell(t, m))
		}
		out = append(out, strings.Join(words, ", "))
	}
	return out[1:]
}

// call is a command as it lies in a packet.
func call(stream uint32, name string, tx any, args ...any) []byte {
	p := amf.Append0(amf.Append0(nil, name), tx)
	for _, a := range args {
		p = amf.Append0(p, a)
	}
	return AppendMessage(nil, &Message{Type: CommandAMF0, StreamID: stream, Payload: p}, DefaultInChunkSize)
}

// call3 is the same as AMF3 clients send it.
func call3(stream uint32, name string, tx any, args ...any) []byte {
	p := amf.Append0(amf.Append0([]byte{0}, name), tx)
	for _, a := range args {
		p = amf.Append0(p, a)
	}
	return AppendMessage(nil, &Message{Type: CommandAMF3, StreamID: stream, Payload: p}, DefaultInChunkSize)
}

func media(stream uint32, t MessageType, p string) []byte {
	return AppendMessage(nil, &Message{Type: t, StreamID: stream, Payload: []byte(p)}, DefaultInChunkSize)
}

func connectTo(app string, more ...amf.Property) []byte {
	return call(0, "connect", 1.0, append(amf.Object{{Key: "app", Value: app}, {Key: "tcUrl", Value: "rtmp://h/" + app}}, more...))
}

// serve holds the server's end: it accepts whatever is asked, and tells the
// events.
func serve(t testing.TB, s *ServerConn) (events []string, err error) {
	t.Helper()
	if _, err := s.ReadConnect(); err != nil {
		return nil, err
	}
	if err := s.AcceptConnect(nil); err != nil {
		return nil, err
	}
	for {
		ev, err := s.Next()
		if err != nil {
			return events, err
		}
		e := fmt.Sprintf("%v@%d", eventNames[ev.Kind], ev.StreamID)
		switch ev.Kind {
		case EventPublish:
			e += " " + ev.Publish.Name
			if ev.Publish.Query != "" {
				e += " with " + ev.Publish.Query
			}
			err = s.AcceptPublish(ev.Publish, nil)
			s.SetMaxMessage(0)
		case EventPlay:
			e += " " + ev.Play.Name
			if ev.Play.Query != "" {
				e += " with " + ev.Play.Query
			}
			err = s.AcceptPlay(ev.Play, nil)
		case EventMedia:
			e += " " + ev.Message.Type.String()
		case EventPause, EventReceiveAudio, EventReceiveVideo:
			e += fmt.Sprintf(" %v", ev.Flag)
		case EventBufferLength:
			e += fmt.Sprintf(" %d", ev.Value)
		}
		events = append(events, e)
		if err != nil {
			return events, err
		}
	}
}

var eventNames = map[EventKind]string{
	EventMedia: "media", EventPublish: "publish", EventPlay: "play", EventClose: "close", EventPause: "pause", EventSeek: "seek",
	EventReceiveAudio: "audio", EventReceiveVideo: "video", EventBufferLength: "buffer", EventCommand: "command",
}

// accepted is the answer to connect; started and playing those to publish and play.
const (
	accepted = "WindowAckSize, SetPeerBandwidth, SetChunkSize, _result 1 NetConnection.Connect.Success"
	started  = "StreamBegin 1, onStatus@1 NetStream.Publish.Start"
	reset    = "StreamBegin 1, onStatus@1 NetStream.Play.Reset, onStatus@1 NetStream.Play.Start, |RtmpSampleAccess@1"
)

// TestServerConversations holds the order in which each client is known to speak,
// and what it is told. Every packet is answered by one write.
func TestServerConversations(t *testing.T) {
	for name, c := range map[string]struct {
		packets [][]byte
		said    []string
		events  []string
	}{
		"OBS": {
			// A chunk size before connect, the whole path in app, a token in the key.
			[][]byte{
				cat(AppendSetChunkSize(nil, 4096), AppendMessage(nil, &Message{Type: CommandAMF0, Payload: AppendCommand(nil, &Command{
					Name: "connect", Transaction: 1, Object: amf.Object{{Key: "app", Value: "live/europe/alice"}, {Key: "tcUrl", Value: "rtmp://h/live/europe/alice"}}})}, 4096)),
				cat(call(0, "releaseStream", 2.0, nil, "key?token=s"), call(0, "FCPublish", 3.0, nil, "key?token=s"), call(0, "createStream", 4.0, nil)),
				call(1, "publish", 5.0, nil, "key?token=s", "live"),
				cat(media(1, DataAMF0, setDataFrame), media(1, Audio, "a"), media(1, Video, "v")),
				cat(call(0, "FCUnpublish", 6.0, nil, "key?token=s"), call(0, "deleteStream", 7.0, nil, 1.0)),
			},
			[]string{accepted, "_result 2, _result 3, _result 4 1",
				"StreamBegin 1, onFCPublish NetStream.Publish.Start, onStatus@1 NetStream.Publish.Start", "",
				"_result 6, onFCUnpublish NetStream.Unpublish.Success, onStatus@1 NetStream.Unpublish.Success"},
			[]string{"publish@1 key with token=s", "media@1 DataAMF0", "media@1 Audio", "media@1 Video", "close@1"},
		},
		"OBS without a key": {
			[][]byte{connectTo("live/alice"), call(0, "createStream", 2.0, nil), call(1, "publish", 3.0, nil, "", "live")},
			[]string{accepted, "_result 2 1", started},
			[]string{"publish@1 "},
		},
		"FFmpeg plays": {
			[][]byte{connectTo("live"), cat(AppendWindowAckSize(nil, 2500000), call(0, "createStream", 2.0, nil), call(0, "FCSubscribe", 3.0, nil, "alice")),
				cat(call(0, "getStreamLength", 4.0, nil, "alice"), call(1, "play", 5.0, nil, "alice", -2000.0), AppendUserControl(nil, SetBufferLength, 1, 3000)),
				call(0, "_checkbw", 6.0, nil), call(0, "deleteStream", 7.0, nil, 1.0)},
			[]string{accepted, "_result 2 1, _result 3, onFCSubscribe NetStream.Play.Start", "_result 4 0, " + reset, "_result 6", ""},
			[]string{"play@1 alice", "buffer@1 3000", "close@1"},
		},
		"librtmp plays": {
			[][]byte{connectTo("live"), cat(AppendWindowAckSize(nil, 2500000), AppendUserControl(nil, SetBufferLength, 0, 300), call(0, "createStream", 2.0, nil)),
				cat(call(1, "play", 4.0, nil, "alice"), AppendUserControl(nil, SetBufferLength, 1, 36000000)),
				call(1, "pause", 5.0, nil, true, 100.0), call(1, "pause", 6.0, nil, false, 100.0), call(1, "seek", 0.0, nil, 5.0), nil},
			[]string{accepted, "_result 2 1", reset, "StreamEOF 1, onStatus@1 NetStream.Pause.Notify", "StreamBegin 1, onStatus@1 NetStream.Unpause.Notify",
				"onStatus@1 NetStream.Seek.Notify", ""},
			[]string{"buffer@0 300", "play@1 alice", "buffer@1 36000000", "pause@1 true", "pause@1 false", "seek@1"},
		},
		"GStreamer publishes": {
			// No transaction where it wants no answer; it deletes its stream by name.
			[][]byte{connectTo("live", amf.Property{Key: "type", Value: "nonprivate"}),
				cat(call(0, "releaseStream", 0.0, nil, "alice"), call(0, "FCPublish", 0.0, nil, "alice"), call(0, "createStream", 2.0, nil)),
				call(1, "publish", 0.0, nil, "alice", "live"), media(1, Video, "v"),
				cat(call(0, "FCUnpublish", 0.0, nil, "alice"), call(0, "deleteStream", 0.0, nil, "alice"))},
			[]string{accepted, "_result 2 1", "StreamBegin 1, onFCPublish NetStream.Publish.Start, onStatus@1 NetStream.Publish.Start", "",
				"onFCUnpublish NetStream.Unpublish.Success, onStatus@1 NetStream.Unpublish.Success"},
			[]string{"publish@1 alice", "media@1 Video", "close@1"},
		},
		"GStreamer plays": {
			[][]byte{connectTo("live"), cat(AppendWindowAckSize(nil, 2500000), AppendUserControl(nil, SetBufferLength, 0, 300), call(0, "createStream", 2.0, nil)),
				cat(call(1, "play", 0.0, nil, "alice", -2.0), AppendUserControl(nil, SetBufferLength, 1, 30000))},
			[]string{accepted, "_result 2 1", reset},
			[]string{"buffer@0 300", "play@1 alice", "buffer@1 30000"},
		},
		"nginx-rtmp pushes": {
			// It sends its headers without waiting for Publish.Start.
			[][]byte{cat(AppendWindowAckSize(nil, 5000000), connectTo("live")), call(0, "createStream", 2.0, nil),
				cat(call(1, "publish", 0.0, nil, "alice", "live"), media(1, DataAMF0, setDataFrame), media(1, Video, "header"))},
			[]string{accepted, "_result 2 1", started},
			[]string{"publish@1 alice", "media@1 DataAMF0", "media@1 Video"},
		},
		"nginx-rtmp pulls": {
			[][]byte{cat(AppendWindowAckSize(nil, 5000000), connectTo("live")), call(0, "createStream", 2.0, nil),
				cat(call(1, "play", 0.0, nil, "alice", -1.0, -1.0), AppendUserControl(nil, SetBufferLength, 1, 1000))},
			[]string{accepted, "_result 2 1", reset},
			[]string{"play@1 alice", "buffer@1 1000"},
		},
		"Flash": {
			// AMF3, several streams, one of them played, changed, stopped and then
			// published on.
			[][]byte{
				call(0, "connect", 1.0, amf.Object{{Key: "app", Value: "live"}, {Key: "objectEncoding", Value: 3.0}}),
				cat(call3(0, "checkBandwidth", 0.0, nil), call3(0, "createStream", 2.0, nil), call3(0, "createStream", 3.0, nil)),
				call3(1, "play", 0.0, nil, "a", -1.0, -1.0, true), call3(1, "play", 0.0, nil, "b", -1.0, -1.0, false),
				call3(1, "play2", 0.0, nil, amf.Object{{Key: "streamName", Value: "c"}, {Key: "transition", Value: "switch"}}),
				cat(call3(1, "receiveAudio", 0.0, nil, false), call3(1, "receiveVideo", 4.0, nil, true)),
				call3(1, "play", 0.0, nil, false), call3(1, "publish", 0.0, nil, "d", "record"), call3(1, "closeStream", 0.0, nil), call3(2, "closeStream", 0.0, nil),
			},
			[]string{accepted, "onBWDone 0 0 0 0, _result 2 1, _result 3 2", reset, strings.Replace(reset, "onStatus@1 NetStream.Play.Reset, ", "", 1), reset,
				"_result 4", "", started, "onStatus@1 NetStream.Unpublish.Success", ""},
			[]string{"play@1 a", "close@1", "play@1 b", "close@1", "play@1 c", "audio@1 false", "video@1 true", "close@1", "publish@1 d", "close@1"},
		},
		"unknown commands": {
			[][]byte{connectTo("live"), cat(call(0, "whatIsThis", 2.0, nil, 1.0), call(0, "norThis", 0.0, nil), call(0, "_result", 3.0, nil), call(0, "onStatus", 0.0, nil)),
				cat(call(0, "FCUnsubscribe", 4.0, nil, "x"), call(0, "setPeerInfo", 5.0, nil))},
			[]string{accepted, "_error 2 NetConnection.Call.Failed", "_result 4, _result 5"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			nc := newScripted(c.packets...)
			events, err := serve(t, NewServerConn(nc, Options{}))
			if err != io.EOF {
				t.Fatal(err)
			}
			if got, want := strings.Join(nc.said(t), "\n"), strings.Join(c.said, "\n"); got != want {
				t.Errorf("the client was told\n%s\nwant\n%s", got, want)
			}
			if got, want := strings.Join(events, "\n"), strings.Join(c.events, "\n"); got != want {
				t.Errorf("the caller was told\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestServerTalksToRealClients plays back what real programs sent to another
// server, in packets of several sizes. (FFmpeg 7's commands are FFmpeg 5's.)
func TestServerTalksToRealClients(t *testing.T) {
	for _, c := range captures(t) {
		if !c.client {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{100, 1000, 1 << 20} {
				var packets [][]byte
				for p := c.chunks; len(p) > 0; p = p[min(size, len(p)):] {
					packets = append(packets, p[:min(size, len(p))])
				}
				s := NewServerConn(newScripted(packets...), Options{})
				events, err := serve(t, s)
				if err != io.EOF && reasonOf(err) != ReasonTruncated {
					t.Fatal(err)
				}
				all := strings.Join(events, "\n")
				publishes := strings.Contains(c.name, "publish") || strings.Contains(c.name, "push")
				if strings.Count(all, "publish@1") != map[bool]int{true: 1}[publishes] || strings.Count(all, "play@1") != map[bool]int{false: 1}[publishes] {
					t.Errorf("events %.300s", all)
				}
				if publishes && (strings.Count(all, "media@1") < 10 || !strings.Contains(all, "DataAMF0")) {
					t.Errorf("events %.300s", all)
				}
				for _, r := range []Reason{ReasonUnknownMessage, ReasonUnknownStream, ReasonNotPublishing} {
					if n := s.Dropped(r); n != 0 {
						t.Errorf("%d dropped: %s", n, r)
					}
				}
				if strings.HasPrefix(c.name, "ffmpeg7") && len(s.connect.FourCCList) == 0 {
					t.Error("no fourCcList")
				}
			}
		})
	}
}

// The connect answer repeats the object encoding, and tells of enhanced RTMP only
// to those who asked.
func TestConnectAnswer(t *testing.T) {
	for enhanced, packet := range map[bool][]byte{
		false: connectTo("a", amf.Property{Key: "objectEncoding", Value: 3.0}),
		true:  connectTo("a", amf.Property{Key: "objectEncoding", Value: 3.0}, amf.Property{Key: "capsEx", Value: 1.0}),
	} {
		nc := newScripted(packet)
		s := NewServerConn(nc, Options{})
		if _, err := s.ReadConnect(); err != nil {
			t.Fatal(err)
		}
		if err := s.AcceptConnect(amf.Object{{Key: "own", Value: "x"}}); err != nil {
			t.Fatal(err)
		}
		ms, _ := decodeAll(NewDecoder(Limits{}), nc.out[1], whole)
		c, err := ParseCommand(&ms[3], amf.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		props, _ := amf.Properties(c.Object)
		info, _ := amf.Properties(c.Arg(0))
		if info.Number("objectEncoding") != 3 || props.String("own") != "x" || (props.Get("videoFourCcInfoMap") != nil) != enhanced || (props.Number("capsEx") == 15) != enhanced {
			t.Errorf("enhanced %v: %v %v", enhanced, props, info)
		}
	}
}

func TestRejectConnect(t *testing.T) {
	nc := newScripted(connectTo("live"))
	s := NewServerConn(nc, Options{})
	s.ReadConnect()
	if err := s.RejectConnect("Connect here", amf.Object{{Key: "ex", Value: amf.Object{{Key: "code", Value: 302}}}}); err != nil {
		t.Fatal(err)
	}
	if got := nc.said(t)[0]; got != "_error 1 NetConnection.Connect.Rejected" {
		t.Error(got)
	}
}

func TestRejectedStreamsAreFreeAgain(t *testing.T) {
	nc := newScripted(connectTo("live"), cat(call(0, "FCPublish", 0.0, nil, "x"), call(0, "createStream", 2.0, nil)),
		cat(call(1, "publish", 0.0, nil, "taken", "live"), media(1, Video, "late")), call(1, "play", 0.0, nil, "absent"), call(1, "publish", 0.0, nil, "free", "live"))
	s := NewServerConn(nc, Options{})
	s.ReadConnect()
	s.AcceptConnect(nil)
	for {
		ev, err := s.Next()
		if err == io.EOF {
			break
		}
		switch {
		case err != nil:
			t.Fatal(err)
		case ev.Kind == EventPlay:
			err = s.RejectPlay(ev.Play, CodePlayStreamNotFound, "nobody publishes it")
		case ev.Kind == EventPublish && ev.Publish.Name == "taken":
			err = s.RejectPublish(ev.Publish, CodePublishBadName, "it is taken")
		case ev.Kind == EventPublish:
			err = s.AcceptPublish(ev.Publish, nil)
		default:
			t.Errorf("event %+v", ev)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{accepted, "_result 2 1", "onStatus@1 NetStream.Publish.BadName", "onStatus@1 NetStream.Play.StreamNotFound", started}
	if got := nc.said(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
	if n := s.Dropped(ReasonNotPublishing); n != 1 {
		t.Errorf("%d dropped", n)
	}
}

// Media costs Next no allocation.
func TestNextAllocatesNothingForMedia(t *testing.T) {
	frame := bytes.Repeat(media(1, Video, strings.Repeat("v", 100)), 20)
	packets := [][]byte{connectTo("live"), call(0, "createStream", 2.0, nil), call(1, "publish", 0.0, nil, "a", "live")}
	for range 20 {
		packets = append(packets, frame)
	}
	s := NewServerConn(newScripted(packets...), Options{})
	s.ReadConnect()
	s.AcceptConnect(nil)
	ev, err := s.Next()
	if err != nil || s.AcceptPublish(ev.Publish, nil) != nil {
		t.Fatal(err)
	}
	wantNoAllocs(t, "Next", func() { s.Next() })
}
