// Package place decides which server takes a session. It is pure: no clock, no
// socket, no goroutine, no lock. An [Index] is a value that holds what is known of
// the fleet; a request and a source of chance go in, a [Decision] with its reason
// comes out. The same changes and requests in the same order give the same decisions,
// so that any of them can be simulated, repeated and explained.
//
// # Why an index
//
// A snapshot that is scanned costs each decision a walk over the fleet: 15 µs at a
// thousand servers. Most of it is the same as a moment ago. The index keeps each
// server's share of its capacity, the servers of a zone in a heap by it, and the sums;
// a change moves one server (O(log n)), a decision looks at the top of the heap and at those that
// carry the stream. Invariants, for every server s and dimension d (see vec):
//
//	held(s,d)   = Σ live reservations at s of d
//	total(s,d)  = reported(s,d) + held(s,d)
//	full(s,d)   = total(s,d) - overdue(s,d): what capacities are held against; see reservation
//	likely(s,d) = reported(s,d) + deciders × held(s,d): what shares are of
//	share(s)    = max over d of likely(s,d) / (capacity(s,d) × weight(s))
//	s is in the heap of its zone and role  ⇔  it is up and has the role
//	sum(pool)  = Σ share(s) over the pool, within rounding; summed anew now and then
//
// Other balancers decide on the same reports by the same rules, so what this one has decided since is
// a sample of what all have: it counts as often as there are deciders. Measured with
// eight fronts on reports of 5 s: 1.02 of the fewest pulls instead of 1.12.
//
// Explanations, which do need all servers, are made when somebody asks for one.
//
// # The parts, one policy a file
//
//	least_load.go         publishers, the default
//	pull_aware.go         viewers, the default
//	hash_bounded.go       viewers, when no server's load is known
//	least_connections.go  round_robin.go  weighted.go  source_hash.go
//	random.go  two_choices.go  hash.go    for comparison
//	only.go               streams that one server has for itself
//	sticky.go             who was where a moment ago
//	load.go               what load is
//	reservation.go        decisions that no report shows yet
//	explain.go            why each of the others was not chosen; summary.go, in short
//
// # The caller's duties
//
//  1. Hold a lock around an Index; give each [rand.Rand] to one goroutine.
//  2. [Index.Set] and [Index.Remove] servers as they come, change and go; [Index.Report] what they
//     say of their load, or [Index.Add] what is counted in their stead.
//  3. After each decision [Index.Reserve], or [Index.ReserveUntilReport]; [Index.Drop] it if the session fails. A report
//     confirms those that it shows; [Index.Expire] ends the others. Who reserves nothing calls [Index.Took].
//  4. To explain a decision, ask before reserving it.
//
// Times are durations since any moment that the caller keeps to. Slices in arguments are read, not
// kept; those in results are the caller's.
package place
