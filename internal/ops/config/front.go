package config

import (
	"fmt"
	"strings"
	"time"
)

// Way is how sessions at foreign servers are joined.
type Way string

const (
	WayAuto   Way = "auto"
	WayCarry  Way = "carry"
	WaySplice Way = "splice"
)

// redirectFamilies are the words of front.redirect; what begins with flashver: is a family of one's own.
var redirectFamilies = []string{"srs", "flash"}

func (k checker) front() {
	if k.Front.Publish == WayAuto {
		k.at("front.publish", `"auto" is for front.play`, "carry or splice")
	}
	if k.Front.SpliceLatency != 0 {
		k.span("front.splice_latency", k.Front.SpliceLatency, time.Millisecond, maxLatency)
	}
	for _, f := range k.Front.Redirect {
		prefix, own := strings.CutPrefix(f, "flashver:")
		known := own && prefix != ""
		for _, w := range redirectFamilies {
			known = known || f == w
		}
		if !known {
			k.at("front.redirect", fmt.Sprintf("%q is no family of clients", f), "srs, flash, or flashver: and how their flashVer begins")
		}
	}
}
