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
func streamName(app, name string) (stream.Name, error) {
	return stream.ParseName(strings.Trim(strings.Trim(app, "/")+"/"+strings.Trim(name, "/"), "/"))
}
