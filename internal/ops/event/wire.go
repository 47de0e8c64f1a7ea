package event

import (
	"slices"
	"strings"

	"weir/rtmp"
)

// meaning explains one of the wire's reasons; limit says that it is the counter
// of a limit.
type meaning struct {
	text  string
	limit bool
}

// wireMeanings explains those of package rtmp's reasons whose word alone does
// not, and marks limits.
var wireMeanings = map[rtmp.Reason]meaning{
	rtmp.ReasonNotRTMP:          {"the first byte is no RTMP version", false},
	rtmp.ReasonTLS:              {"a TLS hello on the plain port: the client wants rtmps", false},
	rtmp.ReasonHTTP:             {"an HTTP request on the RTMP port", false},
	rtmp.ReasonProxyHeader:      {"a PROXY protocol header where none is expected", false},
	rtmp.ReasonEncrypted:        {"the client asks for RTMPE, which is not served", false},
	rtmp.ReasonHandshakeTimeout: {"the handshake was not done in time", true},
	rtmp.ReasonHandshakeEnded:   {"the peer closed within the handshake", false},
	rtmp.ReasonChunkSize:        {"Set Chunk Size 0 or with its top bit set", true},
	rtmp.ReasonChunkWork:        {"the budget against tiny chunks is spent", true},
	rtmp.ReasonChunkStreams:     {"more chunk streams than allowed", true},
	rtmp.ReasonFirstChunk:       {"a chunk stream began with a compressed header", false},
	rtmp.ReasonMidMessage:       {"a new header before the message was whole", false},
	rtmp.ReasonMessageSize:      {"a message over the limit in force", true},
	rtmp.ReasonPartialBytes:     {"unfinished messages hold too much", true},
	rtmp.ReasonShortControl:     {"a control message shorter than its fields", false},
	rtmp.ReasonAggregate:        {"an aggregate that cannot be split", false},
	rtmp.ReasonTruncated:        {"the connection ended within a message", false},
	rtmp.ReasonWriteStalled:     {"the peer takes no bytes", true},
	rtmp.ReasonBadCommand:       {"a command that is not a name, a number and values, or holds too deep or too many of them", true},
	rtmp.ReasonConnectExpected:  {"a command before connect, or none in time", false},
	rtmp.ReasonSecondConnect:    {"connect on a connected connection", false},
	rtmp.ReasonTooManyStreams:   {"createStream over the limit, again and again", true},
	rtmp.ReasonStreamBusy:       {"publish and play on one message stream", false},
	rtmp.ReasonUnknownStream:    {"media or a command for a message stream that was not created", false},
	rtmp.ReasonCommandFlood:     {"refused commands without end", true},
	rtmp.ReasonCommandTimeout:   {"connected, but neither published nor played in time", true},
}

func wire() []ReasonInfo {
	var out []ReasonInfo
	for _, r := range rtmp.Reasons() {
		if slices.ContainsFunc(own, func(o ReasonInfo) bool { return o.Reason == Reason(r) }) {
			continue // the policy has the same word
		}
		m, ok := wireMeanings[r]
		if !ok {
			m.text = strings.ReplaceAll(string(r), "-", " ") // the word speaks for itself
		}
		out = append(out, ReasonInfo{Reason(r), m.text, m.limit})
	}
	return out
}
