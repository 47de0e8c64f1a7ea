package node

import (
	"testing"

	"weir/internal/ops/admin"
)

func TestWhatCountsAsUp(t *testing.T) {
	for _, c := range []struct {
		state, health, check string
		up                   bool
	}{
		{"up", "up", "rtmp", true},
		{"drain", "up", "rtmp", true},
		{"up", "unknown", "rtmp", false}, // not checked yet
		{"up", "unknown", "none", true},  // nobody is to find out
		{"maint", "unknown", "rtmp", false},
		{"maint", "unknown", "none", false},
		{"down", "down", "tcp", false},
	} {
		if up(&admin.Backend{State: c.state, Health: admin.Health{State: c.health, Check: c.check}}) != c.up {
			t.Errorf("%+v", c)
		}
	}
}
