package cluster

import "time"

const (
	// DefaultTTL is the node lease's length. Why not shorter: a pause of a few
	// seconds (a frozen virtual machine, an etcd election) would lose every record of a
	// healthy node. Why not longer: a crashed node is listed that long.
	DefaultTTL = 5 * time.Second

	// DefaultPrefix of all keys; the number is the layout's version.
	DefaultPrefix = "/weir/1/"
)
