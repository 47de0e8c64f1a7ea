package rtmp

// EventKind says what an [Event] is.
type EventKind uint8

// The kinds of events. Server: what a client asks for. Client: what a server
// says. Media comes to both.
const (
	EventMedia        EventKind = iota + 1 // Message: audio, video or data of a stream
	EventPublish                           // Publish; answer with AcceptPublish or RejectPublish
	EventPlay                              // Play; answer with AcceptPlay or RejectPlay
	EventClose                             // the NetStream StreamID has ended by the client's wish
	EventPause                             // Flag: paused; has been answered
	EventSeek                              // has been answered
	EventReceiveAudio                      // Flag
	EventReceiveVideo                      // Flag
	EventBufferLength                      // Value: milliseconds
	EventCommand                           // Command, one of Options.HandUp; answer with Reply or ReplyError
	EventStatus                            // client: Status of NetStream StreamID
	EventUserControl                       // client: Control
)

// Event is one thing that the other side said. It is valid until the next call
// of Next.
type Event struct {
	Kind     EventKind
	StreamID uint32
	Message  *Message
	Publish  *PublishRequest
	Play     *PlayRequest
	Command  *Command
	Status   *Status
	Control  Control
	Flag     bool
	Value    uint32
}
