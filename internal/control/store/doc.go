// Package store is the only code that talks to the cluster's store: a small
// interface of key-value operations with revisions, leases and watches, and
// three backends of it.
//
//   - [Memory] lives in one process: the default of a standalone server, and the
//     store of tests and simulations, which can stop, partition, wipe and restore it.
//   - [Embedded] runs an etcd member inside this process, alone or with peers. A member that
//     cannot write fails for good, alone: its process lives on, and every call is [ErrUnavailable].
//     One without data waits until the others say what to begin with (bootstrap); the leader takes it
//     in again if its data are lost (keeper): one goroutine for the life of a member with peers.
//   - [Etcd] is a client of an existing etcd cluster.
//
// What it is not: it holds no lock, elects nobody and knows nothing of nodes or
// streams. A lease here collects garbage; it is not mutual exclusion (package
// cluster says what is).
//
// Semantics, the same for all three and checked by one conformance suite:
//
//   - One revision counts every change of the whole store. A write returns the
//     revision it made; all keys written by one [Store.Txn] share one.
//   - Reads and writes are linearizable: what a call returns was true between
//     its start and its end.
//   - A key's Rev changes with each write to it and is never used again, unless
//     the store is wiped or restored from an old copy, which callers that care
//     must notice by revisions going backwards.
//   - A key put with a lease disappears when the lease ends. Putting it again
//     with another lease moves it, with none frees it.
//   - A watch delivers every change after its start in order, one batch a
//     revision or several, or says [ErrCompacted]; it never skips silently.
//
// Duties of the caller: close what was opened; take care that a watch is read
// until its context ends; treat a write that failed with [ErrUnavailable] as one
// that may have happened, since the answer can be lost after the deed.
//
// Every call is bounded by the store's own timeout besides the caller's
// context, so no caller waits for a dead store longer than that.
// Stores are safe for any number of goroutines. Byte slices passed in are not
// kept, and slices handed out belong to the caller, except that the values in
// one watch batch may be shared with other watchers and must not be written to.
package store
