package front

import (
	"strconv"
	"strings"

	"weir/internal/stream"
)

// transitName is the name of a carried stream in the front's own hub. Two publishers may
// come with one name: which of them has it is the origins' to say.
func transitName(name stream.Name, conn uint64) stream.Name {
	return stream.Name{App: name.App, Stream: name.Stream + "#" + strconv.FormatUint(conn, 10)}
}

// Carried is the name that the publisher gave, for logs: what [Options.Hub] calls a stream
// is of no use to an operator.
func Carried(name stream.Name) stream.Name {
	if i := strings.LastIndexByte(name.Stream, '#'); i >= 0 {
		name.Stream = name.Stream[:i]
	}
	return name
}
