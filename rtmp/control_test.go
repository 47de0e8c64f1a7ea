package rtmp

import (
	"math/rand/v2"
	"testing"
)

func TestControlRoundTrip(t *testing.T) {
	for _, c := range []struct {
		wire []byte
		want Control
	}{
		{AppendSetChunkSize(nil, 4096), Control{Type: SetChunkSize, Value: 4096}},
		{AppendAbort(nil, 65_599), Control{Type: Abort, Value: 65_599}},
		{AppendAck(nil, 1<<32-1), Control{Type: Ack, Value: 1<<32 - 1}},
		{AppendWindowAckSize(nil, 2_500_000), Control{Type: WindowAckSize, Value: 2_500_000}},
		{AppendSetPeerBandwidth(nil, 2_500_000, LimitDynamic), Control{Type: SetPeerBandwidth, Value: 2_500_000, Limit: 2}},
		{AppendUserControl(nil, StreamBegin, 1), Control{Type: UserControl, Event: StreamBegin, Value: 1}},
		{AppendUserControl(nil, StreamEOF, 1), Control{Type: UserControl, Event: StreamEOF, Value: 1}},
		{AppendUserControl(nil, StreamDry, 1), Control{Type: UserControl, Event: StreamDry, Value: 1}},
		{AppendUserControl(nil, StreamIsRecorded, 3), Control{Type: UserControl, Event: StreamIsRecorded, Value: 3}},
		{AppendUserControl(nil, SetBufferLength, 1, 3000), Control{Type: UserControl, Event: SetBufferLength, Value: 1, Buffer: 3000}},
		{AppendUserControl(nil, PingRequest, 99), Control{Type: UserControl, Event: PingRequest, Value: 99}},
		{AppendUserControl(nil, 31, 1), Control{Type: UserControl, Event: 31, Value: 1}},
	} {
		got, err := decodeAll(NewDecoder(Limits{}), c.wire, byteWise)
		if err != nil || len(got) != 1 || got[0].ChunkStream != 2 || got[0].StreamID != 0 {
			t.Fatalf("%+v: %v %v", c.want, got, err)
		}
		ctl, err := ParseControl(&got[0])
		if err != nil || ctl != c.want {
			t.Errorf("got %+v %v, want %+v", ctl, err, c.want)
		}
		// Padding is ignored; every shorter form is refused.
		m := got[0]
		m.Payload = append(m.Payload, 1, 2, 3)
		if ctl, err := ParseControl(&m); err != nil || ctl != c.want {
			t.Errorf("padded: %+v %v", ctl, err)
		}
		for n := range len(got[0].Payload) {
			m.Payload = got[0].Payload[:n]
			if _, err := ParseControl(&m); reasonOf(err) != ReasonShortControl && ctl.Event != 31 {
				t.Errorf("%+v of %d bytes: %v", c.want, n, err)
			}
		}
	}
	if _, err := ParseControl(&Message{Type: Audio, Payload: make([]byte, 9)}); err == nil {
		t.Error("audio is no control message")
	}
}

func TestAggregateSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var want []Message
	whole := Message{Type: Aggregate, StreamID: 7, ChunkStream: 6, Timestamp: 1<<32 - 20}
	for i := range uint32(5) {
		m := Message{Type: []MessageType{Audio, Video, DataAMF0}[i%3], Timestamp: 0x1FFFFF0 + 10*i, Payload: randomPayload(r, int(i)*40)}
		whole.Payload = AppendAggregate(whole.Payload, &m)
		m.StreamID, m.ChunkStream = 7, 6
		m.Timestamp = whole.Timestamp + 10*i
		want = append(want, m)
	}
	split := func(m Message) (out []Message, err error) {
		for a := NewAggregateReader(&m); a.More(); {
			part, err := a.Next()
			if err != nil {
				return out, err
			}
			out = append(out, part)
		}
		return out, nil
	}
	got, err := split(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameMessages(got, want); err != nil {
		t.Error(err)
	}
	// Without the last back pointer, as some write it.
	cut := whole
	cut.Payload = whole.Payload[:len(whole.Payload)-4]
	if got, err := split(cut); err != nil || len(got) != 5 {
		t.Errorf("%d parts, %v", len(got), err)
	}
	for n := 1; n < len(whole.Payload); n++ {
		cut.Payload = whole.Payload[:n]
		if got, err := split(cut); err != nil && reasonOf(err) != ReasonAggregate || len(got) > 5 {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	for _, typ := range []MessageType{Aggregate, SetChunkSize, CommandAMF0, 0} {
		bad := Message{Type: Aggregate, Payload: AppendAggregate(nil, &Message{Type: typ, Payload: []byte{1}})}
		if _, err := split(bad); reasonOf(err) != ReasonAggregate {
			t.Errorf("%v within an aggregate: %v", typ, err)
		}
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	seen := map[Reason]bool{}
	for _, r := range Reasons() {
		if r == "" || seen[r] {
			t.Errorf("reason %q twice", r)
		}
		seen[r] = true
	}
}
