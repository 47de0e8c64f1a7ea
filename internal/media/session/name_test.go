package session

import (
	"testing"

	"weir/internal/stream"
	"weir/rtmp"
)

// P7: a token is no part of a name, however its query was begun.
func TestP7AQueryIsNoPartOfAName(t *testing.T) {
	for _, tc := range []struct{ app, appQuery, name, query, want string }{
		{"live", "", "alice", "token=x", "token=x"},
		{"live", "", "alice&token=x", "", "token=x"},
		{"live", "", "alice&token=x&b=c", "d=e", "token=x&b=c&d=e"},
		{"live&token=x", "", "alice", "", "token=x"},
		{"live&token=x", "a=b", "alice&c=d", "", "token=x&a=b&c=d"},
		{"live/alice&token=x/y", "", "", "", "token=x/y"}, // all of it in the server field
	} {
		c := &conn{}
		c.client.Connect = &rtmp.Connect{App: tc.app, Query: tc.appQuery}
		name, err := c.name(tc.name)
		if err != nil || name != (stream.Name{App: "live", Stream: "alice"}) {
			t.Errorf("%q %q: %v, %v", tc.app, tc.name, name, err)
		}
		if q := c.query(tc.name, tc.query); q != tc.want {
			t.Errorf("%q %q: query %q, want %q", tc.app, tc.name, q, tc.want)
		}
	}
	member := &conn{}
	member.client.Member, member.client.Connect = "o1", &rtmp.Connect{App: "weir"}
	if name, err := member.name("live/a&b"); err != nil || name.Stream != "a&b" || member.query("live/a&b", "") != "" {
		t.Errorf("a member's name is whole: %v, %v", name, err)
	}
}
