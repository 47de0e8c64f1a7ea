package front

import (
	"errors"
	"net"
	"testing"

	"weir/internal/media/relay"
	"weir/rtmp"
)

// A server hangs up behind the handshake of a session that is to be spliced: that is its answer. One
// that does so before is none of RTMP's, or is dead.
func TestReplayTellsHangingUpFromDeath(t *testing.T) {
	for what, shakes := range map[string]bool{"behind the handshake": true, "before": false} {
		t.Run(what, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				nc, err := ln.Accept()
				if err != nil {
					return
				}
				defer nc.Close()
				if shakes {
					rtmp.NewServerConn(nc, rtmp.Options{}).Handshake()
				}
			}()
			nc, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			words := &script{said: make([]byte, 3), connectEnd: 1, connectTx: 1, createEnd: 2, createTx: 2, streamID: 1}
			if _, err := replay(t.Context(), nc, words, nil); err == nil || errors.Is(err, relay.ErrHungUp) != shakes {
				t.Error(err)
			}
		})
	}
}
