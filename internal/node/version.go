package node

import "runtime/debug"

// release is the version of this source tree; a build may set it with
// -ldflags "-X weir/internal/node.release=…".
var release = "0.1.0-dev"

// Version is the release, with the commit if the build knows it.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 7 {
				return release + "+" + s.Value[:7]
			}
		}
	}
	return release
}
