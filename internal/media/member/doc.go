// Package member is what Weir's nodes say to each other inside RTMP: how they
// prove that they belong to one cluster, and what they add to the ordinary
// commands.
//
// Between nodes everything is RTMP on the ordinary port. A node shows in its
// connect that it holds the cluster secret ([Proof]); only then are its extra
// arguments believed: a feed's epoch ([FeedFacts]), the client on whose behalf a
// front speaks ([Client]), a publisher's clock ([PublishExtra]), the number of
// hops. A stranger that sends the same arguments is a stranger with odd
// arguments.
//
// The package holds no connection and starts no goroutine. Its caller sends and
// receives; it says what.
package member

// The commands that only a node sends.
const (
	CommandProve = "weirProve" // second step of the proof: (null, the client's HMAC)
	CommandQuery = "weirQuery" // ask a node about itself, or give it an order: (null, question, argument) → one JSON string; proven members only
)
