// Package fleet is the balancer's view of the servers: it turns what the cluster
// knows of its nodes, and what [Backends] holds of servers that are no nodes, into what package place
// decides on, and remembers what was decided and does not show in any report yet.
//
// place is pure; the clock, the lock and the source of chance that its caller
// owes are here. A decision reserves at once. It is dropped if the session does not come
// about, and confirmed by a report that shows it; where reports are to come it stands until then, else it
// expires. A session at a foreign server is counted by this node's own [Counters] as soon as it has begun.
//
// Below it: discovery learns which backends there are, health whether they live, load what they
// carry; each writes into Backends, and follows it by [Backends.Changes].
//
// What it is not: it opens no connection and moves no session.
//
// # The caller's duties
//
//  1. [Backends.Sample] about once a second.
//  2. For each choice: [Counters.Publisher] or [Counters.Open] when the session has begun, then Done; [Backends.Failed] or
//     [Backends.Succeeded] as evidence.
//  3. With other fronts: hand them [Fleet.Placed], and set Options.Admit, which asks them about publishers at servers that take a
//     limited number.
//  4. [Fleet.Ended] when a stream of the cluster has ended, so that its publisher goes back if it returns.
//
// Goroutines: none. Methods may be called from any goroutine; none waits for anybody, but Publisher for what Admit waits for.
package fleet
