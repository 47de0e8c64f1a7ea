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
	// Resume names the clock on which the asker of a feed has the stream already, see
	// live.Stream.Timeline: if it is that of the answer, the feed overlaps. "" = it
	// has nothing.
	Resume string
	Hops   int
	// Client is the viewer on whose behalf a front asks.
	Client Client
}

// PublishExtra is the last argument of a publish between members.
type PublishExtra struct {
	// Timeline identifies the publisher's clock, see live.Source.
	Timeline string
	Hops     int
	Client   Client
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
	return amf.Object{{Key: extraKey, Value: true}, {Key: "feed", Value: e.Feed}, {Key: "resume", Value: e.Resume}, {Key: "hops", Value: e.Hops}, {Key: "client", Value: e.Client.object()}}
}

// Object is the wire form.
func (e PublishExtra) Object() amf.Object {
	return amf.Object{{Key: extraKey, Value: true}, {Key: "timeline", Value: e.Timeline}, {Key: "hops", Value: e.Hops}, {Key: "client", Value: e.Client.object()}}
}

// ParsePlayExtra finds the extra among a play's arguments.
func ParsePlayExtra(args []any) (PlayExtra, bool) {
	o, ok := find(args)
	client, _ := o.Get("client").(amf.Object)
	return PlayExtra{Feed: o.Bool("feed"), Resume: o.String("resume"), Hops: int(o.Number("hops")), Client: parseClient(client)}, ok
}

// ParsePublishExtra finds the extra among a publish's arguments.
func ParsePublishExtra(args []any) (PublishExtra, bool) {
	o, ok := find(args)
	client, _ := o.Get("client").(amf.Object)
	return PublishExtra{Timeline: o.String("timeline"), Hops: int(o.Number("hops")), Client: parseClient(client)}, ok
}

func find(args []any) (amf.Object, bool) {
	for _, a := range args {
		if o, ok := a.(amf.Object); ok && o.Bool(extraKey) {
			return o, true
		}
	}
	return nil, false
}

// FeedFacts travel in the answer to a feed's play: under which fence and on
// which clock the frames come.
type FeedFacts struct {
	Epoch    stream.Epoch
	Timeline string
}

// Object is the wire form, members of the status's info object.
func (f FeedFacts) Object() amf.Object {
	return amf.Object{{Key: "epoch", Value: f.Epoch.String()}, {Key: "timeline", Value: f.Timeline}}
}

// ParseFeedFacts reads what [FeedFacts.Object] wrote.
func ParseFeedFacts(info amf.Object) (FeedFacts, error) {
	epoch, err := stream.ParseEpoch(info.String("epoch"))
	return FeedFacts{Epoch: epoch, Timeline: info.String("timeline")}, err
}
