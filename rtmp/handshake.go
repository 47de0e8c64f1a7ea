package rtmp

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
)

// protocolVersion is C0 and S0 (RTMP 1.0 §5.2.2).
const protocolVersion = 3

// The version fields of our digest packets. Zero means the simple handshake, and
// peers look for a digest only from 3 on in the first byte.
const (
	clientVersion = 0x0A_00_2D_02 // Flash Player 10.0.45.2
	serverVersion = 0x04_05_00_01 // Flash Media Server 4.5.0.1
)

// HandshakeOptions configure one handshake. The zero value is ready.
type HandshakeOptions struct {
	Rand   io.Reader // default: quick, and guessable: the handshake protects nobody
	Simple bool      // client: offer no digest; server: ignore the client's
	Scheme int       // client: where the digest goes, 0 or 1
	// Unverified: do not look whether the peer's final packet answers ours. Nothing
	// follows from it, and it is a quarter of a server's work here.
	Unverified bool
	// Mark replaces the last MarkSize bytes of our first packet, or the first of those, instead of noise: for
	// peers that know to look there. Heard is told the peer's, which are its only during the call.
	Mark  []byte
	Heard func(mark []byte)
}

// MarkSize is how many bytes at the end of C1 and S1 are for marks: behind all that the
// digest of scheme 0, ours, needs.
const MarkSize = 512

// HandshakeInfo says how a handshake went.
type HandshakeInfo struct {
	Digest   bool   // both sides used the digest handshake
	Scheme   int    // 0 or 1, meaningful with Digest
	Version  uint32 // the peer's version field of C1 or S1
	Verified bool   // the peer's final packet answers ours; many peers' does not
}

// handshake holds the packets of one side: ours first, then the peer's two.
type handshake struct {
	rw   io.ReadWriter
	o    HandshakeOptions
	info HandshakeInfo
	buf  *buffer
	mine []byte // our version byte, C1 or S1, and room for C2 or S2
	peer []byte // the same of the peer
}

func newHandshake(rw io.ReadWriter, o HandshakeOptions) *handshake {
	if o.Rand == nil {
		o.Rand = noise{}
	}
	const side = 1 + 2*packetSize
	h := &handshake{rw: rw, o: o, buf: borrow(2 * side)}
	b := h.buf.b[:2*side]
	h.mine, h.peer = b[:side:side], b[side:]
	return h
}

// first and second cut a side's bytes into its two packets.
func first(side []byte) []byte  { return side[1 : 1+packetSize] }
func second(side []byte) []byte { return side[1+packetSize:] }

// ServerHandshake answers a client's handshake, simple or digest, as the client
// wants it. It reads exactly C0, C1 and C2, and never waits longer than rw does:
// the caller sets one deadline for all of it. An [*Error] names what the peer
// was if not an RTMP client; other errors are rw's.
func ServerHandshake(rw io.ReadWriter, o HandshakeOptions) (HandshakeInfo, error) {
	h := newHandshake(rw, o)
	defer h.buf.release()
	if err := h.readFirst(1 + packetSize); err != nil {
		return h.info, err
	}
	c1, s1, s2 := first(h.peer), first(h.mine), second(h.mine)
	h.info.Version = binary.BigEndian.Uint32(c1[4:])
	h.hear(c1)
	var digest []byte
	if h.info.Version != 0 && !o.Simple {
		digest, h.info.Scheme = findDigest(c1, clientKey)
		h.info.Digest = digest != nil
	}
	if err := h.fill(s1); err != nil {
		return h.info, err
	}
	var signed []byte
	if h.info.Digest {
		binary.BigEndian.PutUint32(s1[4:], serverVersion)
		signed = signPacket(s1, h.info.Scheme, serverKey)
		if err := h.answer(s2, digest, serverKey); err != nil {
			return h.info, err
		}
	} else {
		copy(s2, c1)
	}
	h.mine[0] = protocolVersion
	if _, err := rw.Write(h.mine); err != nil {
		return h.info, handshakeError(err)
	}
	c2 := second(h.peer)
	if _, err := io.ReadFull(rw, c2); err != nil {
		return h.info, handshakeError(err)
	}
	if !o.Unverified {
		h.verify(c2, s1, signed, clientKey)
	}
	return h.info, nil
}

// ClientHandshake opens the handshake, by default with a digest. A server that
// does not answer with one gets the simple handshake, as all known clients do.
// It reads exactly S0, S1 and S2.
func ClientHandshake(rw io.ReadWriter, o HandshakeOptions) (HandshakeInfo, error) {
	h := newHandshake(rw, o)
	defer h.buf.release()
	h.mine[0] = protocolVersion
	c1, c2 := first(h.mine), second(h.mine)
	if err := h.fill(c1); err != nil {
		return h.info, err
	}
	var signed []byte
	if !o.Simple {
		binary.BigEndian.PutUint32(c1[4:], clientVersion)
		signed = signPacket(c1, o.Scheme&1, clientKey)
	}
	if _, err := rw.Write(h.mine[:1+packetSize]); err != nil {
		return h.info, handshakeError(err)
	}
	// S2 mostly comes along with S1, but some servers send it only after C2.
	got, err := h.readAtLeast(1+packetSize, 1+2*packetSize)
	if err != nil {
		return h.info, err
	}
	s1, s2 := first(h.peer), second(h.peer)
	h.info.Version = binary.BigEndian.Uint32(s1[4:])
	h.hear(s1)
	var digest []byte
	if h.info.Version != 0 && !o.Simple {
		digest, h.info.Scheme = findDigest(s1, serverKey)
		h.info.Digest = digest != nil
	}
	if h.info.Digest {
		if err := h.answer(c2, digest, clientKey); err != nil {
			return h.info, err
		}
	} else {
		signed = nil
		copy(c2, s1)
	}
	if _, err := rw.Write(c2); err != nil {
		return h.info, handshakeError(err)
	}
	if _, err := io.ReadFull(rw, h.peer[got:]); err != nil {
		return h.info, handshakeError(err)
	}
	if !o.Unverified {
		h.verify(s2, c1, signed, serverKey)
	}
	return h.info, nil
}

// noise is random bytes that need not be secret: the first eight are new each time, the others are
// cut somewhere out of bytes that are made once. Making three kilobytes was a fortieth of a join.
type noise struct{}

var noiseSource = sync.OnceValue(func() []byte {
	b := make([]byte, 4*packetSize)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
})

func (noise) Read(p []byte) (int, error) {
	b := noiseSource()
	n := copy(p, b[rand.IntN(len(b)-packetSize):])
	if len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, rand.Uint64())
	}
	return n, nil
}

// fill makes a simple C1 or S1: time 0, version 0, random bytes.
func (h *handshake) fill(packet []byte) error {
	clear(packet[:8])
	if _, err := io.ReadFull(h.o.Rand, packet[8:]); err != nil {
		return fmt.Errorf("rtmp: handshake: random bytes: %w", err)
	}
	copy(packet[packetSize-MarkSize:], h.o.Mark)
	return nil
}

// hear tells of the peer's mark.
func (h *handshake) hear(packet []byte) {
	if h.o.Heard != nil {
		h.o.Heard(packet[packetSize-MarkSize:])
	}
}

// answer makes a digest C2 or S2.
func (h *handshake) answer(packet, digest []byte, key partyKey) error {
	body := packet[:packetSize-digestSize]
	if _, err := io.ReadFull(h.o.Rand, body); err != nil {
		return fmt.Errorf("rtmp: handshake: random bytes: %w", err)
	}
	copy(packet[len(body):], answerDigest(packet, digest, key))
	return nil
}

// verify notes whether the peer's second packet answers ours: with the digest,
// or as a copy. Nothing follows from it but the note; a wrong answer is common
// and harmless, for the handshake protects nobody.
func (h *handshake) verify(packet, ours, signed []byte, key partyKey) {
	if signed != nil {
		h.info.Verified = hmac.Equal(packet[packetSize-digestSize:], answerDigest(packet, signed, key))
		return
	}
	// The second four bytes are the time of receipt.
	h.info.Verified = bytes.Equal(packet[8:], ours[8:])
}

func (h *handshake) readFirst(n int) error {
	_, err := h.readAtLeast(n, n)
	return err
}

// readAtLeast reads least to most bytes of the peer, and looks at the very first
// ones: a stranger that speaks something else often waits for an answer.
func (h *handshake) readAtLeast(least, most int) (got int, err error) {
	for got < least && err == nil {
		var n int
		n, err = h.rw.Read(h.peer[got:most])
		got += n
		if got > 0 && h.peer[0] != protocolVersion {
			return got, stranger(h.peer[:min(got, 8)])
		}
	}
	if got >= least {
		return got, nil
	}
	if err == io.EOF && got > 0 {
		err = io.ErrUnexpectedEOF
	}
	return got, handshakeError(err)
}

// stranger names who speaks, from the first bytes of a connection.
func stranger(b []byte) error {
	e := &Error{Reason: ReasonNotRTMP, Err: fmt.Errorf("version byte 0x%02x, want 0x03", b[0])}
	prefix := func(s string) bool {
		n := min(len(b), len(s))
		return n > 0 && string(b[:n]) == s[:n]
	}
	switch {
	case b[0] == 0x16 || b[0] == 0x80:
		e.Reason, e.Err = ReasonTLS, errors.New("a TLS hello: this is the plain RTMP port, the client speaks rtmps")
	case len(b) >= 3 && prefix("PROXY "), prefix("\r\n\r\n\x00\r\nQ"):
		e.Reason, e.Err = ReasonProxyHeader, errors.New("a PROXY protocol header from a peer that is not trusted to send one")
	case b[0] == 6 || b[0] == 8 || b[0] == 9:
		e.Reason, e.Err = ReasonEncrypted, errors.New("RTMPE is not supported")
	default:
		for _, method := range [...]string{"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "DELETE ", "CONNECT ", "PATCH ", "TRACE ", "PRI * HT"} {
			if prefix(method) {
				e.Reason, e.Err = ReasonHTTP, errors.New("an HTTP request: this is the RTMP port")
				break
			}
		}
	}
	return e
}

// handshakeError gives the two usual ends of a handshake their reason.
func handshakeError(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Reason: ReasonHandshakeTimeout, Err: err}
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return &Error{Reason: ReasonHandshakeEnded, Err: err}
	}
	return err
}
