package member

import (
	"weir/amf"
	"weir/internal/stream"
)

// PlayExtra is the last argument of a play between members. A stranger's is
// ignored.
type PlayExtra struct {
	// Feed asks for the stream as one node's feed: answered by its owner only,
	// every track, with the epoch in the answer.
	Feed bool
	// Resume and At say up to where the asker has the stream already, see
	// live.Position. "" = it has nothing.
	Resume string
	At     uint32
	Hops   int
	// Client is the viewer on whose behalf a front asks.
	Client Client
}

// PublishExtra is the last argument of a publish between members.
type PublishExtra struct {
	// Timeline identifies the publisher's clock, see live.Source.
	Timeline string
	// Moved says that the publisher has been on air before, so that it is no newcomer.
	Moved  bool
	Hops   int
	Client Client
}

// Client is what a front knows of the client whose session it carries, so that
// the server behind sees the same as if the client had come directly.
type Client struct {
	Addr     string // the client's own address, host:port
	Query    string // of the URL, without the question mark
	FlashVer string
	TCURL    string
	PageURL  string
	SWFURL   string
}

func (c Client) object() amf.Object {
	return amf.Object{{Key: "addr", Value: c.Addr}, {Key: "query", Value: c.Query}, {Key: "flashVer", Value: c.FlashVer},
		{Key: "tcUrl", Value: c.TCURL}, {Key: "pageUrl", Value: c.PageURL}, {Key: "swfUrl", Value: c.SWFURL}}
}

func parseClient(o amf.Object) Client {
	return Client{Addr: o.String("addr"), Query: o.String("query"), FlashVer: o.String("flashVer"),
		TCURL: o.String("tcUrl"), PageURL: o.String("pageUrl"), SWFURL: o.String("swfUrl")}
}

const extraKey = "weir"

// Object is the wire form.
func (e PlayExtra) Object() amf.Object {
	return amf.Object{{Key: extraKey, Value: true}, {Key: "feed", Value: e.Feed}, {Key: "resume", Value: e.Resume}, {Key: "at", Value: float64(e.At)},
		{Key: "hops", Value: e.Hops}, {Key: "client", Value: e.Client.object()}}
}

// Object is the wire form.
func (e PublishExtra) Object() amf.Object {
	return amf.Object{{Key: extraKey, Value: true}, {Key: "timeline", Value: e.Timeline}, {Key: "moved", Value: e.Moved}, {Key: "hops", Value: e.Hops}, {Key: "client", Value: e.Client.object()}}
}

// ParsePlayExtra finds the extra among a play's arguments.
func ParsePlayExtra(args []any) (PlayExtra, bool) {
	o, ok := find(args)
	client, _ := o.Get("client").(amf.Object)
	return PlayExtra{Feed: o.Bool("feed"), Resume: o.String("resume"), At: milliseconds(o.Number("at")), Hops: int(o.Number("hops")), Client: parseClient(client)}, ok
}

// ParsePublishExtra finds the extra among a publish's arguments.
func ParsePublishExtra(args []any) (PublishExtra, bool) {
	o, ok := find(args)
	client, _ := o.Get("client").(amf.Object)
	return PublishExtra{Timeline: o.String("timeline"), Moved: o.Bool("moved"), Hops: int(o.Number("hops")), Client: parseClient(client)}, ok
}

func find(args []any) (amf.Object, bool) {
	for _, a := range args {
		if o, ok := a.(amf.Object); ok && o.Bool(extraKey) {
			return o, true
		}
	}
	return nil, false
}

// FeedFacts travel in the answer to a feed's play, and to a front's: under which fence the frames
// come. On which clock they are comes with them ([CodeClock]).
type FeedFacts struct {
	Epoch stream.Epoch
}

// Object is the wire form, members of the status's info object.
func (f FeedFacts) Object() amf.Object {
	return amf.Object{{Key: "epoch", Value: f.Epoch.String()}}
}

// ParseFeedFacts reads what [FeedFacts.Object] wrote.
func ParseFeedFacts(info amf.Object) (FeedFacts, error) {
	epoch, err := stream.ParseEpoch(info.String("epoch"))
	return FeedFacts{Epoch: epoch}, err
}
