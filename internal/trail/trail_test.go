package trail

import (
	"net"
	"slices"
	"testing"

	"weir/rtmp"
)

func TestATrailGoesThroughTheHandshake(t *testing.T) {
	way := Trail{NewID("a"), NewID("b")}
	behind := Trail{NewID("c")}
	for _, o := range []rtmp.HandshakeOptions{{}, {Simple: true}} {
		client, server := net.Pipe()
		heard := make(chan Trail, 1)
		go func() {
			var got Trail
			s := o
			s.Mark, s.Heard = behind.Mark(), func(b []byte) { got = Parse(b) }
			if _, err := rtmp.ServerHandshake(server, s); err != nil {
				t.Error(err)
			}
			heard <- got
		}()
		var said Trail
		c := o
		c.Mark, c.Heard = way.Mark(), func(b []byte) { said = Parse(b) }
		info, err := rtmp.ClientHandshake(client, c)
		if err != nil || !info.Verified || info.Digest == o.Simple {
			t.Fatalf("%+v %v", info, err)
		}
		if got := <-heard; !slices.Equal(got, way) || !slices.Equal(said, behind) {
			t.Errorf("the server heard %v, the client %v", got, said)
		}
	}
}

func TestNoiseIsNoTrail(t *testing.T) {
	mark := Trail{NewID("a")}.Mark()
	for i := range mark {
		bad := slices.Clone(mark)
		bad[i] ^= 1
		if Parse(bad) != nil {
			t.Errorf("a mark with another byte %d is believed", i)
		}
		if Parse(mark[:i]) != nil {
			t.Errorf("%d bytes of a mark are believed", i)
		}
	}
	if long := make(Trail, Most+5); len(Parse(long.Mark())) != Most || len(long.Mark()) > rtmp.MarkSize {
		t.Error("a long trail is not cut")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Trail{NewID("a")}.Mark())
	f.Add([]byte("weir/fr\x01\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := Parse(b); len(got) > Most {
			t.Error(len(got))
		}
	})
}
