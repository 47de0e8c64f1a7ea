package front

import (
	"errors"
	"fmt"
	"slices"

	"weir/internal/media/session"
	"weir/internal/ops/event"
)

// maxTrail bounds through how many fronts a session may come to this one. Stops: fronts in a circle that
// do not know themselves. Why not smaller: clusters stand before clusters.
const maxTrail = 8

// refuseLoop refuses a client whose session has been at this front before: two fronts, or more, have each
// other among their servers. The one that it came from tries its next server.
func (f *Front) refuseLoop(c *session.Client, code string) error {
	var why error
	switch {
	case f.o.Own == nil:
		return nil
	case slices.ContainsFunc(c.Trail, f.o.Own):
		why = fmt.Errorf("a session that came from here has come back from %s: that is a front which has this one among its servers, directly or through others; take one out of the other's front.backends", c.Remote)
	case len(c.Trail) >= maxTrail:
		why = errors.New("through too many fronts")
	default:
		return nil
	}
	return &session.Rejection{Code: code, Description: "These servers lead back to each other.", Reason: event.HopLimit, Err: why}
}

// mark is what the handshake with a server that is no node says: whom the session came through.
func (f *Front) mark(c *session.Client) []byte {
	if f.o.Own == nil {
		return nil
	}
	return c.Trail.With(f.o.Self).Mark()
}
