package front

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/trail"
	"weir/rtmp"
)

// ErrNoServer: no server can take the session now.
var ErrNoServer = errors.New("front: no server can take this")

// Backend is a server chosen for a session.
type Backend struct {
	Node string // its name
	Addr string // RTMP, host:port
	HTTP string // host:port; "" if it serves none
	// Public is the RTMP address for clients, which may not reach Addr; "" is Addr.
	Public string
	// Foreign marks a server that is no node of the cluster. It proves nothing,
	// knows neither epochs nor clocks, and is spoken to as any client would.
	Foreign bool
	// Announce is how a foreign server is told the client's address.
	Announce Announce
	// Of a foreign server: Shared says that it plays what others like it have, and
	// SameClock that it passes timestamps on as they come.
	Shared, SameClock bool
	Why               string // the decision in words
	// Done gives the decision's reservation back, with whether the session came
	// about. It may be nil.
	Done func(ok bool)
}

func (b *Backend) done(ok bool) {
	if b.Done != nil {
		b.Done(ok)
	}
}

// Announce is a way of telling a server whose connection it really is.
type Announce string

const (
	AnnounceNot     Announce = ""
	AnnounceProxyV1 Announce = "proxy-v1" // HAProxy's PROXY protocol, text
	AnnounceProxyV2 Announce = "proxy-v2" // the same, binary
	AnnounceSRS     Announce = "srs"      // SRS's 0xF3 preamble
)

// Request is what a server is wanted for.
type Request struct {
	Name   stream.Name
	Source netip.Addr // the client's address; zero if it is not known
	// Exclude names servers that have just failed; they are chosen only if there is
	// nobody else.
	Exclude []string
	Never   []string // names of servers that are not chosen in any case
}

// Placer chooses servers. Both fail with ErrNoServer.
type Placer interface {
	Publisher(Request) (Backend, error)
	Viewer(Request) (Backend, error)
}

const (
	// maxTries bounds how many servers one session is offered to. Why not larger:
	// the client waits meanwhile, and its patience is about ten seconds.
	maxTries = 3
	// moveDeadline is how long a carried publisher is kept without a server. Why
	// not smaller: an origin's restart takes seconds. Why not larger: its viewers
	// see nothing, and its encoder should hear that it is not on air.
	moveDeadline = 30 * time.Second
)

// Options are a Front's parts.
type Options struct {
	Node   string
	Secret func() []byte
	Dial   relay.Dialer
	Placer Placer
	Emit   event.Sink
	// Hub holds the streams of carried publishers, apart from those that this
	// node serves: a carried stream is not one that a viewer here may join.
	Hub *live.Hub
	// FirstMedia and Silence end a carried publisher that sends nothing: from the
	// acceptance to the first media, and between two messages. 0: no limits.
	FirstMedia, Silence time.Duration

	// Publish and Play are how sessions at foreign servers are joined; "" is Carry
	// and Auto.
	Publish, Play Way
	// Ledger counts sessions at foreign servers; nil: nobody does.
	Ledger Ledger
	// Registry is where streams at foreign servers are claimed; nil: they are not.
	Registry Registry
	// Redirect names the families of clients that are sent to the server itself
	// for plays; see [Redirect]. None: nobody is.
	Redirect []string
	// SpliceLatency is how long what a server sends to a spliced session may wait here
	// for more to come; 0: it does not.
	SpliceLatency time.Duration
	// Self is who this front is to other fronts, Own tells it and those it works with. A nil Own: it
	// says nothing of itself, and does not look.
	Self trail.ID
	Own  func(trail.ID) bool
}

// Front carries sessions.
type Front struct {
	o      Options
	ctx    context.Context
	cancel context.CancelFunc

	publishers, viewers present
	traffic             relay.Traffic // with the servers behind
	redirected          redirected
	splicer             splicer
	rounds              *live.Rounds // of all pushes

	mu          sync.Mutex
	guests      map[string]map[guest]bool // sessions at foreign servers
	evacuations map[string]context.CancelFunc
	audiences   map[stream.Name]*audience
	claimed     map[stream.Name]*carried
	watching    map[stream.Name]int // viewers of each stream at foreign servers
}

// New returns a Front that carries nothing.
func New(o Options) *Front {
	if o.Ledger == nil {
		o.Ledger = noLedger{}
	}
	if o.Registry == nil {
		o.Registry = alone{}
	}
	f := &Front{o: o, rounds: live.NewRounds(), guests: make(map[string]map[guest]bool), evacuations: make(map[string]context.CancelFunc),
		audiences: make(map[stream.Name]*audience), claimed: make(map[stream.Name]*carried), watching: make(map[stream.Name]int)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Close ends the pushes of all carried publishers, and what is left of spliced
// sessions. Sessions are the caller's to end first.
func (f *Front) Close() {
	f.cancel()
	f.splicer.close()
}

// Done is closed by Close.
func (f *Front) Done() <-chan struct{} { return f.ctx.Done() }

// Publishers and Viewers are how many sessions are carried or spliced now.
func (f *Front) Publishers() int { return f.publishers.all() }
func (f *Front) Viewers() int    { return f.viewers.all() }

// source is the address in a session's HOST:PORT; zero if there is none.
func source(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// connectAs is the client's own connect, to be said again to the server behind.
func connectAs(c *session.Client, addr string) rtmp.Connect {
	own := c.Connect
	return rtmp.Connect{App: "weir", TCURL: "rtmp://" + addr + "/weir",
		FlashVer: own.FlashVer, SWFURL: own.SWFURL, PageURL: own.PageURL,
		FourCCList: own.FourCCList, VideoFourCCInfo: own.VideoFourCCInfo, AudioFourCCInfo: own.AudioFourCCInfo, CapsEx: own.CapsEx}
}

// noServer is the client's answer when nobody can take it. Who chooses may have words for it.
func noServer(code string, err error) error {
	why := "No server can take this now; try again."
	var words interface {
		error
		ForClient() string
	}
	if errors.As(err, &words) {
		why = words.ForClient()
	}
	return &session.Rejection{Code: code, Description: why, Reason: event.NoServer, Err: err}
}
