// Package cluster knows who is in the fleet, who owns which stream, and which
// edges carry it.
//
// It answers from memory: one goroutine keeps a view of the store by list and
// watch, and every question but a claim is answered from that view, so a store
// that is slow or away delays no viewer and interrupts no stream.
//
// # Ownership and epochs
//
// A stream is owned by the node that created its record in a transaction. The
// [stream.Epoch] of that ownership is (incarnation, revision of the claim):
//
//   - The revision orders the claims of one store.
//   - The incarnation is a number in the store, created by a transaction if absent, greater
//     than any that its creator has seen and than the wall clock in milliseconds. A node
//     that finds it absent, lower than seen, or the store's revision gone backwards, knows
//     that the store was wiped or restored and raises it by a transaction; every owner then
//     claims again under the new one. So no store, however damaged, issues an epoch
//     below one that is in use for longer than it takes its members to look. Every node checks
//     that what it wrote last is still there: rollback.go.
//
// A lease is not mutual exclusion, and neither is a record in the store: what
// fences is the epoch, compared by every receiver of media. This package's part is
// that epochs are unique and growing and that an owner hears of a higher one
// soon ([Ownership.Lost]).
//
//	         Claim: created                      higher epoch seen
//	absent ────────────────▶ confirmed ───────────────────────────▶ lost
//	   │                      │    ▲ │                                ▲
//	   │ store away     lease │    │ │ Release                        │ settled:
//	   ▼                lost, │    │ └────────▶ released              │ another's
//	unconfirmed ──────────────┴────┘ settled: kept or claimed again   │
//	   └──────────────────────────────────────────────────────────────┘
//
// An unconfirmed ownership has the zero epoch. It is settled in the background,
// and [Ownership.Changed] tells when its epoch changes.
//
// # Duties of the caller
//
//  1. Call [New], then [Cluster.Start]; at the end [Cluster.Close], which revokes the
//     node's lease, so that its records vanish at once.
//  2. For each publisher: [Cluster.Claim]; stop at [Ownership.Lost]; [Ownership.Release] on
//     every path. Stamp every node-to-node feed with [Ownership.Epoch] and follow
//     [Ownership.Changed].
//  3. For each pull: [Cluster.PullStarted] and [Cluster.PullEnded].
//  4. Report the load now and then with [Cluster.ReportLoad]; it costs nothing.
//  5. Of a front: [Cluster.SharePlaced] what it has at servers that are no nodes, [Cluster.PlacedChanged] when that
//     changes, and [Cluster.Admit] before a publisher goes to one of them that takes a limited number.
//
// What it is not: it opens no connection to another node, decides no placement, and
// compares no wall clocks of different nodes ([StreamRecord.Since] is for people).
//
// # Goroutines
//
// Five for the life of a Cluster: session (lease and registration), watcher
// (the view), reporter (load, and noticing a store that is away or was
// restored), reconciler (whatever in the store differs from what this node
// holds), sharer (what a front has at servers that are no nodes). All end with Close. A subscription is a channel and has none.
package cluster
