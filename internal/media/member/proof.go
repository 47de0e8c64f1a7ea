package member

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"weir/amf"
)

// proofKey is the member of the connect object, and of its answer, that holds
// the offer of a proof.
const proofKey = "weir"

// ErrNotMember: the other side could not prove that it holds the cluster
// secret. It is treated as a stranger, whatever it claims to be.
var ErrNotMember = errors.New("member: the peer did not prove membership of this cluster")

// Proof is one run of the mutual challenge between two nodes:
//
//	client → server  connect {weir: {node, nonce}}
//	server → client  _result {weir: {node, nonce, proof}}
//	client → server  weirProve(proof)                  [CommandProve]
//	server → client  _result, or _error and the connection stays a stranger's
//
// A proof is HMAC-SHA256 over the cluster secret of the side's word, both node
// names and both nonces, so it can be neither replayed nor reflected. The
// secret itself never crosses the wire.
type Proof struct {
	secret                   []byte
	clientNode, serverNode   string
	clientNonce, serverNonce string
}

// Offer begins the client's side. The returned object goes into the connect
// command.
func Offer(secret []byte, node string) (*Proof, amf.Object) {
	p := &Proof{secret: secret, clientNode: node, clientNonce: nonce()}
	return p, amf.Object{{Key: proofKey, Value: amf.Object{
		{Key: "node", Value: node}, {Key: "nonce", Value: p.clientNonce}}}}
}

// Challenge begins the server's side from a received connect object. ok is
// false when the client offers no proof: an ordinary client. The returned
// object goes into the answer.
func Challenge(secret []byte, node string, connect amf.Object) (p *Proof, reply amf.Object, ok bool) {
	offer, _ := connect.Get(proofKey).(amf.Object)
	p = &Proof{secret: secret, serverNode: node, serverNonce: nonce(),
		clientNode: offer.String("node"), clientNonce: offer.String("nonce")}
	if p.clientNode == "" || len(p.clientNonce) != 2*nonceBytes {
		return nil, nil, false
	}
	return p, amf.Object{{Key: proofKey, Value: amf.Object{
		{Key: "node", Value: node}, {Key: "nonce", Value: p.serverNonce}, {Key: "proof", Value: p.sum("server")}}}}, true
}

// Answer checks the server's proof in its connect answer and returns the
// client's own. It fails with [ErrNotMember].
func (p *Proof) Answer(properties amf.Object) (string, error) {
	reply, _ := properties.Get(proofKey).(amf.Object)
	p.serverNode, p.serverNonce = reply.String("node"), reply.String("nonce")
	if len(p.serverNonce) != 2*nonceBytes || !equal(reply.String("proof"), p.sum("server")) {
		return "", ErrNotMember
	}
	return p.sum("client"), nil
}

// Verify checks the client's proof and returns the name of its node.
func (p *Proof) Verify(proof string) (node string, err error) {
	if !equal(proof, p.sum("client")) {
		return "", ErrNotMember
	}
	return p.clientNode, nil
}

const nonceBytes = 16

func nonce() string {
	var b [nonceBytes]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (p *Proof) sum(side string) string {
	h := hmac.New(sha256.New, p.secret)
	for _, part := range []string{"weir member", side, p.clientNode, p.serverNode, p.clientNonce, p.serverNonce} {
		// Length first, so that no two tuples share an encoding.
		h.Write([]byte{byte(len(part) >> 8), byte(len(part))})
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
