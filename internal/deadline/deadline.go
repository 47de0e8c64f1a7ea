// Package deadline is how long each waits for the next, along the way of a publisher to its server: who asks
// must not give up before who answers does, or an answer is lost and what it was about is done for nobody. The
// numbers are in one place because each is another's bound:
//
//	client      about 10 s, then it gives up
//	└ Search    a front's, over all servers that it tries
//	  └ Push    for one server to accept: Dial and Answer
//	    └ Claim an origin's, for the stream: its registry asked by Begin, and answered
//	      ├ Owner  for the present owner to say whether its publisher is there
//	      └ Store  for one transaction, which is not cut off
package deadline

import "time"

const (
	// Store bounds a claim's transaction; then it is unconfirmed. Why not longer: a
	// publisher waits for its answer. Why not shorter: a store under load takes a second.
	Store = 2 * time.Second
	// Owner is how long an owner may take to say whether its publisher is silent, before it counts as silent
	// itself. Why not longer: the newcomer waits, and its viewers with it. Why not
	// shorter: a healthy node under load must not lose its stream.
	Owner = time.Second
	// Begin is by when the last transaction of a claim has to have begun. What comes before is the wait for
	// other claims of the name at this node, a first transaction, and the owner's answer. Why not shorter: a
	// transaction and the owner's answer may each take all of their time, and what is done between them takes some. Why not longer: Claim leaves
	// the rest of Push, half a second, for connecting.
	Begin = Store + Owner + 500*time.Millisecond
	// Claim is by when the stream is the newcomer's or is not.
	Claim = Begin + Store

	// Dial covers the TCP connect, the handshake and the proof.
	Dial = 3 * time.Second
	// Answer bounds the wait for the answer to play, publish or a query.
	Answer = 3 * time.Second
	// Push is both: who connects at once has all the rest for the answer. Why not shorter: a claim.
	Push = Dial + Answer

	// Search bounds a client's first answer, however many servers are tried. Why not longer: encoders and
	// players give up after about ten seconds. Why not shorter: two frozen servers take Dial each.
	Search = 9 * time.Second
)
