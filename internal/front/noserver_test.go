package front

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/internal/control/place"
	"weir/internal/media/session"
)

func TestTheClientHearsWhyNobodyTakesIt(t *testing.T) {
	full := &place.NoServerError{Rejected: []place.Rejection{{Node: "secret-name", Why: place.FullSessions}}}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: %w", ErrNoServer, full), "No server can take this now: all servers are full. Try again."},
		{errors.Join(fmt.Errorf("%w: %w", ErrNoServer, &place.NoServerError{}), errors.New("dial")), "No server can take this now: there is no server. Try again."},
		{ErrNoServer, "No server can take this now; try again."},
		{nil, "No server can take this now; try again."},
	} {
		var r *session.Rejection
		if err := noServer("code", tc.err); !errors.As(err, &r) || r.Description != tc.want || strings.Contains(r.Description, "secret") {
			t.Errorf("%v: %v", tc.err, r.Description)
		}
	}
}
