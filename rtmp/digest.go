package rtmp

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// The digest handshake is not in the specification; this is what Flash Player 9
// and later, Flash Media Server 3 and later, librtmp, FFmpeg, nginx-rtmp and SRS
// agree on. C1 and S1 hold a SHA-256 HMAC of their other bytes, at a place that
// four bytes of the packet point to; C2 and S2 end in an HMAC keyed by the
// digest that they answer.

const (
	packetSize = 1536 // C1, S1, C2, S2
	digestSize = sha256.Size
	// digestSpan is how many places a digest may start at, in both schemes.
	digestSpan = 728
)

// digestPointer is where the four pointing bytes are, by scheme; the place they
// point to is counted from right behind them.
var digestPointer = [2]int{8, 772}

// The keys: a sentence that proves nothing, and 32 bytes that used to be secret.
// S1 and C1 are keyed by the sentence alone, S2 and C2 by all of it.
var (
	keyTail = []byte{
		0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
		0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
	}
	clientKey = newPartyKey("Genuine Adobe Flash Player 001")
	serverKey = newPartyKey("Genuine Adobe Flash Media Server 001")
)

// partyKey is one side's key, as hashes that have it and are ready.
type partyKey struct{ first, full *sync.Pool }

func newPartyKey(sentence string) partyKey {
	full := append([]byte(sentence), keyTail...)
	return partyKey{first: keyed(full[:len(sentence):len(sentence)]), full: keyed(full)}
}

// keyed hashes under one key. Making such a hash costs as much as using it.
func keyed(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
}

// sum is the keyed hash of some pieces.
func sum(pool *sync.Pool, pieces ...[]byte) []byte {
	h := pool.Get().(hash.Hash)
	defer pool.Put(h)
	h.Reset()
	for _, p := range pieces {
		h.Write(p)
	}
	return h.Sum(nil)
}

// digestAt returns where packet's digest begins in the given scheme.
func digestAt(packet []byte, scheme int) int {
	at := digestPointer[scheme]
	sum := int(packet[at]) + int(packet[at+1]) + int(packet[at+2]) + int(packet[at+3])
	return at + 4 + sum%digestSpan
}

// packetDigest computes the digest of a C1 or S1 that is to be found at index at.
func packetDigest(packet []byte, at int, key *sync.Pool) []byte {
	return sum(key, packet[:at], packet[at+digestSize:])
}

// signPacket puts the digest into a C1 or S1 that is filled otherwise, and
// returns it.
func signPacket(packet []byte, scheme int, key partyKey) []byte {
	at := digestAt(packet, scheme)
	copy(packet[at:], packetDigest(packet, at, key.first))
	return packet[at:][:digestSize]
}

// findDigest returns the valid digest of a C1 or S1 and its scheme, or nil. The
// packet's version does not tell the scheme, so both are tried.
func findDigest(packet []byte, key partyKey) (digest []byte, scheme int) {
	for scheme := range digestPointer {
		at := digestAt(packet, scheme)
		digest := packet[at:][:digestSize]
		if hmac.Equal(digest, packetDigest(packet, at, key.first)) {
			return digest, scheme
		}
	}
	return nil, 0
}

// answerDigest computes the last 32 bytes of a C2 or S2 that answers digest.
func answerDigest(packet, digest []byte, key partyKey) []byte {
	h := hmac.New(sha256.New, sum(key.full, digest))
	h.Write(packet[:packetSize-digestSize])
	return h.Sum(nil)
}
