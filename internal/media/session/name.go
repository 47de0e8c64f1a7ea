package session

import (
	"strings"

	"weir/internal/stream"
)

// streamName is the canonical name of what a client asks for.
//
// Clients split the same URL in different places: ffmpeg takes the first path
// element as the application, OBS whatever stands in its server field, which may
// be everything, with an empty name. So the two are joined again and split at
// the last slash; then every spelling of rtmp://host/a/b/c is app "a/b", stream
// "c".
//
// A query that was begun with "&" instead of "?" is a query all the same: a token in it must
// not become part of a name, which stands in logs, in the store and on pages.
func streamName(app, name string) (stream.Name, error) {
	app, _ = cutQuery(app)
	name, _ = cutQuery(name)
	return stream.ParseName(strings.Trim(strings.Trim(app, "/")+"/"+strings.Trim(name, "/"), "/"))
}

// cutQuery cuts at the first "&", with which some write a query that package rtmp, which cuts
// at "?" as the specifications do, takes for a part of the name.
func cutQuery(name string) (before, query string) {
	before, query, _ = strings.Cut(name, "&")
	return before, query
}

// query is what a client has said in queries, of its connection and of a stream's name.
func (c *conn) query(name, own string) string {
	_, ofApp := cutQuery(c.client.Connect.App)
	_, ofName := cutQuery(name)
	if c.client.Member != "" {
		ofApp, ofName = "", "" // a name is the whole path
	}
	return join(join(ofApp, c.client.Connect.Query), join(ofName, own))
}
