package store

import "time"

const (
	// DefaultTimeout bounds one call. Why not smaller: an etcd election takes
	// 1–2 s, and a call that outlives it succeeds. Why not larger: a publisher's claim
	// waits this long before it is taken in unconfirmed.
	DefaultTimeout = 2 * time.Second

	// MinTTL is the shortest lease that every backend keeps as asked: etcd lengthens
	// leases below one and a half election timeouts, and counts in whole seconds.
	MinTTL = 2 * time.Second

	// historyEvents is how many changes Memory keeps for watches that begin in
	// the past, in events. Why not smaller: a watcher may be descheduled while a fleet
	// re-registers. Why not larger: the values are kept alive, some 300 bytes each.
	historyEvents = 16384
)
