package event

// own lists this package's reasons with their meanings. The test reads
// reasons.go and fails if a constant is missing here.
var own = []ReasonInfo{
	{ClientClosed, "the client said goodbye or closed its connection", false},
	{ClientGone, "the connection to the client broke", false},
	{Unpublished, "the publisher said that it is done", false},
	{StreamEnded, "the stream ended and its viewer's session with it", false},
	{NodeStopping, "this node ends in good order", false},
	{Kicked, "an operator ended it", false},
	{NobodyWatching, "a pull's grace passed without a viewer", false},

	{Busy, "the key has a publisher already", false},
	{NotFound, "there is no such stream, or not yet", false},
	{BadName, "the application or stream name is not allowed", true},
	{Unauthorized, "a token or a proof of membership is missing or wrong", false},
	{NoServer, "no server can take the session", false},
	{NoHTTPAddress, "the server that has the stream serves nothing by HTTP", false},
	{NotServed, "this node's roles do not include what was asked", false},
	{TooManyOfOne, "too many connections of one address", true},
	{StorePending, "the store did not answer in time", false},
	{BadCertificate, "the client does not take this server's certificate", false},
	{BadProxyHeader, "a trusted proxy did not say whose connection it brings", false},
	{TLSFailed, "the TLS handshake did not come about", false},
	{NotTLS, "bytes in clear on the listener for TLS", false},

	{FirstMediaTimeout, "published, but sent nothing in time", true},
	{PublisherSilent, "the publisher fell silent", true},
	{ViewerLagging, "the viewer is too far behind and skips to a key frame", true},
	{GOPTooLong, "the GOP cache's time ran over", true},
	{GOPTooLarge, "the GOP cache's bytes ran over", true},
	{NegativeCached, "answered \"no such stream\" from memory", true},
	{NegativeCacheFull, "the memory of absent streams is full", true},
	{HopLimit, "relayed too often: a loop", true},
	{HookTimeout, "a hook did not answer in time", true},
	{HookTooLarge, "a hook's answer is too long", true},
	{DescriptorsExhaust, "no free descriptor for a new connection", true},

	{StaleEpoch, "a higher epoch has been seen", false},
	{ForgedEpoch, "another node stated an epoch that no store has issued", false},
	{TakenOver, "a newcomer took over: the owner was silent or gone, or the policy says so", false},
	{SourceLost, "the connection to the source broke", false},
	{SourceSilent, "the source sends nothing", false},
	{HandedOver, "the same publisher goes on at another node", false},
	{OwnerChanged, "the registry names another owner", false},
	{DialFailed, "the server could not be reached", false},
	{BackendRefused, "the server said no", false},
	{NodeLeft, "the node went away in good order", false},
	{NodeLost, "the node's lease ran out", false},

	{NotPlainTCP, "TLS, or no TCP connection at all", false},
	{NotAlone, "other message streams on the connection", false},
	{Unrepeatable, "the client's words cannot be said again", false},
	{OtherStreamID, "the server's message stream has another id than the client's", false},
	{NoBoundary, "the server was within a message where it answered createStream", false},
	{ChunkState, "a chunk stream's state cannot be given to the client", false},
	{AckWindow, "the two byte counts differ by too much of the window", false},
	{ChunkEcho, "the publisher would make its chunks smaller in mid-stream", false},

	{EmptyMedia, "a media message without a body", false},
	{BadMedia, "a media message whose header does not parse", false},
	{BeforeHeaders, "a frame before its codec's headers", false},
	{OldTimestamp, "not newer than what was delivered", false},
	{UnsupportedType, "a message that is neither audio, video nor data", false},
	{WaitKeyframe, "a new source's picture before its first key frame", false},
	{SpliceOverlap, "a new source's sound before the end of the old one's", false},
	{RepeatedHeader, "a header equal to the current one", false},
	{HeadersTooLarge, "a header that takes the stream's headers over their limit", true},
	{SequenceEnd, "an end-of-sequence tag: the end is the server's to tell", false},
	{OutOfRetention, "what came next for the viewer is no longer kept", false},
	{InternalFault, "a fault of this node", false},
	{OtherReason, "a reason that is not in this list", false},
}

var (
	all   = append(own, wire()...)
	index = func() map[Reason]int {
		m := make(map[Reason]int, len(all))
		for i, r := range all {
			m[r.Reason] = i
		}
		return m
	}()
)
