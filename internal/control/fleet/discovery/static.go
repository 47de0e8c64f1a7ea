package discovery

import "weir/internal/control/fleet"

// StaticSource is the source of servers that the configuration names.
const StaticSource = "static"

// Static registers a list that never changes.
func Static(o Options, list []fleet.Backend) Source {
	v := &view{o: o, source: StaticSource}
	v.good(list)
	return v
}
