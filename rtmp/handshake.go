package rtmp

import "io"

// HandshakeOptions configure one handshake. The zero value is ready.
type HandshakeOptions struct {
	Rand   io.Reader // crypto/rand
	Simple bool      // client: offer no digest; server: ignore the client's
	Scheme int       // client: where the digest goes, 0 or 1
}

// HandshakeInfo says how a handshake went.
type HandshakeInfo struct {
	Digest   bool   // both sides used the digest handshake
	Scheme   int    // 0 or 1, meaningful with Digest
	Version  uint32 // the peer's version field of C1 or S1
	Verified bool   // the peer's final packet answers ours
}

func ServerHandshake(rw io.ReadWriter, o HandshakeOptions) (HandshakeInfo, error) {
	return HandshakeInfo{}, nil
}
func ClientHandshake(rw io.ReadWriter, o HandshakeOptions) (HandshakeInfo, error) {
	return HandshakeInfo{}, nil
}
