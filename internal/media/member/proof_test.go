package member

import (
	"errors"
	"math"
	"testing"

	"weir/amf"
	"weir/rtmp"
)

// over carries an object across the wire.
func over(t *testing.T, o amf.Object) amf.Object {
	t.Helper()
	v, err := amf.NewDecoder0(amf.Append0(nil, o), amf.Limits{}).Decode()
	if err != nil {
		t.Fatal(err)
	}
	return v.(amf.Object)
}

func TestProofConvincesMembersOnly(t *testing.T) {
	secret, other := []byte("one secret"), []byte("another")
	for _, c := range []struct {
		what           string
		client, server []byte
		clientOK       bool
	}{
		{"same secret", secret, secret, true},
		{"client guesses", other, secret, false},
		{"server is an impostor", secret, other, false},
		{"no secret at the server", secret, nil, false},
	} {
		cp, offer := Offer(c.client, "edge-1")
		sp, reply, ok := Challenge(c.server, "origin-1", over(t, offer))
		if !ok {
			t.Fatalf("%s: offer not recognized", c.what)
		}
		answer, err := cp.Answer(over(t, reply))
		if (err == nil) != c.clientOK {
			t.Errorf("%s: the client says %v", c.what, err)
			continue
		}
		if err != nil {
			if !errors.Is(err, ErrNotMember) {
				t.Errorf("%s: untyped %v", c.what, err)
			}
			continue
		}
		if node, err := sp.Verify(answer); err != nil || node != "edge-1" {
			t.Errorf("%s: server got %q, %v", c.what, node, err)
		}
	}
}

func TestProofCannotBeReflectedOrReplayed(t *testing.T) {
	secret := []byte("one secret")
	cp, offer := Offer(secret, "a")
	sp, reply, _ := Challenge(secret, "b", offer)
	// Reflection: the server's own proof sent back as the client's.
	own := reply.Get(proofKey).(amf.Object).String("proof")
	if _, err := sp.Verify(own); !errors.Is(err, ErrNotMember) {
		t.Error("the server accepts its own proof")
	}
	answer, err := cp.Answer(reply)
	if err != nil {
		t.Fatal(err)
	}
	// Replay: the same answer to a later challenge.
	again, _, _ := Challenge(secret, "b", offer)
	if _, err := again.Verify(answer); !errors.Is(err, ErrNotMember) {
		t.Error("an old answer is accepted again")
	}
	// Another name with a right answer for the first.
	if _, _, ok := Challenge(secret, "b", amf.Object{{Key: proofKey, Value: amf.Object{{Key: "node", Value: "a"}, {Key: "nonce", Value: "short"}}}}); ok {
		t.Error("an offer with a short nonce is taken up")
	}
}

func TestExtrasCrossTheWire(t *testing.T) {
	c := Client{Addr: "192.0.2.1:5", Query: "token=x", FlashVer: "FMLE/3.0", TCURL: "rtmp://h/live", PageURL: "p", SWFURL: "s"}
	if e, ok := ParsePublishExtra([]any{"live", over(t, PublishExtra{Timeline: "t", Moved: true, Hops: 2, Client: c}.Object())}); !ok || e.Timeline != "t" || !e.Moved || e.Hops != 2 || e.Client != c {
		t.Errorf("publish extra came out as %+v, %v", e, ok)
	}
	if e, ok := ParsePlayExtra([]any{over(t, PlayExtra{Feed: true, Resume: "clock", At: 1<<32 - 1, Hops: 1, Client: c}.Object())}); !ok || !e.Feed || e.Resume != "clock" || e.At != 1<<32-1 || e.Hops != 1 || e.Client != c {
		t.Errorf("play extra came out as %+v, %v", e, ok)
	}
	if _, ok := ParsePlayExtra([]any{-2000.0, amf.Object{{Key: "feed", Value: true}}}); ok {
		t.Error("an ordinary object argument taken for an extra")
	}
}

func TestClockCrossesTheWire(t *testing.T) {
	b := AppendClock(nil, 7, "publisher", 1<<32-5, 128)
	n, m, err := rtmp.NewDecoder(rtmp.Limits{}).Decode(b)
	if err != nil || m == nil || n != len(b) || m.StreamID != 7 {
		t.Fatalf("%+v after %d of %d bytes, %v", m, n, len(b), err)
	}
	c, err := rtmp.ParseCommand(m, amf.Limits{})
	if err != nil || c.Name != "onStatus" {
		t.Fatalf("%+v, %v", c, err)
	}
	info := c.Args[0].(amf.Object)
	if base, shift := ParseClock(info); info.String("code") != CodeClock || base != "publisher" || shift != 1<<32-5 {
		t.Errorf("came out as %q %d: %v", base, shift, info)
	}
	for _, odd := range []float64{-1, 1 << 32, math.NaN(), math.Inf(1)} {
		if _, shift := ParseClock(amf.Object{{Key: "shift", Value: odd}}); shift != 0 {
			t.Errorf("a shift of %v is taken for %d", odd, shift)
		}
	}
}
