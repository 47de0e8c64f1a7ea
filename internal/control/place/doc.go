// Package place decides which server takes a session. Its functions are pure:
// a snapshot of the fleet, a request and a source of chance go in, a [Decision]
// with its reason comes out. No clock, no socket, no goroutine, no lock: the same
// arguments give the same decision, so that any decision can be simulated, repeated
// and explained.
//
// The parts, one policy a file:
//
//	least_load.go    publishers, the default
//	pull_aware.go    viewers, the default
//	hash.go          viewers, when there is no view of the fleet
//	share.go         what load is
//	reservation.go   decisions that the next report does not show yet
//
// The caller's duties: build a [View] from what it knows (names in it are unique);
// keep [Reservations] under a lock of its own, reserve after each decision and
// confirm or drop it later; give each [rand.Rand] to one goroutine. Slices in
// arguments are read, not kept; those in results are the caller's.
package place
