// Package fleet is the balancer's view of the servers: it turns what the cluster
// knows into what package place decides on, and remembers what was decided and
// does not show in any report yet.
//
// place is pure; the clock, the lock and the source of chance that its caller
// owes are here. A decision reserves at once. It is dropped if the session does not come
// about, confirmed by a report that shows it, and expires otherwise.
//
// It opens no connection. Methods may be called from any goroutine.
package fleet
