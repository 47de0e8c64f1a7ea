package rtmp

import (
	"crypto/hmac"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestCapturesAgreeWithNaiveReader: what real programs sent is understood alike
// by both readers.
func TestCapturesAgreeWithNaiveReader(t *testing.T) {
	for _, c := range captures(t) {
		compareWithNaive(t, c.chunks, Limits{}, rand.New(rand.NewPCG(1, 2)))
	}
}

// TestCapturesHandshake: the digests of real programs are found, and their
// answers to each other's are what this package computes.
func TestCapturesHandshake(t *testing.T) {
	sides := map[string][2][]byte{}
	for _, c := range captures(t) {
		session, who, _ := strings.Cut(c.name, ".")
		both := sides[session]
		if strings.HasPrefix(who, "client") {
			both[0] = c.handshake
		} else {
			both[1] = c.handshake
		}
		sides[session] = both
	}
	for session, both := range sides {
		client, server := both[0], both[1]
		c1, c2, s1, s2 := first(client), second(client), first(server), second(server)
		clientDigest, scheme := findDigest(c1, clientKey)
		serverDigest, serverScheme := findDigest(s1, serverKey)
		digest := strings.HasPrefix(session, "ffmpeg") || strings.HasPrefix(session, "nginx")
		if (clientDigest != nil) != digest || (serverDigest != nil) != digest {
			t.Errorf("%s: digest of the client %v, of the server %v; want %v", session, clientDigest != nil, serverDigest != nil, digest)
			continue
		}
		if !digest {
			if string(s2[8:]) != string(c1[8:]) {
				t.Errorf("%s: S2 does not repeat C1", session)
			}
			continue
		}
		if scheme != serverScheme {
			t.Errorf("%s: client in scheme %d, server in %d", session, scheme, serverScheme)
		}
		if !hmac.Equal(s2[packetSize-digestSize:], answerDigest(s2, clientDigest, serverKey)) {
			t.Errorf("%s: S2 does not answer C1", session)
		}
		if strings.HasSuffix(session, "publish") {
			// As a publisher FFmpeg offers a digest and then answers simply.
			if string(c2[8:]) != string(s1[8:]) {
				t.Errorf("%s: C2 does not repeat S1", session)
			}
		} else if !hmac.Equal(c2[packetSize-digestSize:], answerDigest(c2, serverDigest, clientKey)) {
			t.Errorf("%s: C2 does not answer S1", session)
		}
	}
}
