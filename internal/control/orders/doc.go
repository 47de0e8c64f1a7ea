// Package orders keeps what operators want of backends in the store, so that orders outlive fronts and reach those
// that start later, and has this front's registry follow it.
//
// Orders reach the fronts directly, too, from the one that was given them: without the store they hold as long as the
// fronts run, and are written when it is back, unless somebody has ordered something else there meanwhile. A store
// that was wiped or has gone back is told what it has lost by everybody who knows.
//
// In the store, without a lease, names path-escaped:
//
//	PREFIX orders/NAME/operator   drain or maint
//	PREFIX orders/NAME/weight     a number
//
// What it is not: it asks no other front, and moves no session; who follows [fleet.Backends.Changes] does.
//
// # The caller's duties
//
//  1. [Book.List] once before sessions are placed, so that none goes where an operator wants none; then [Book.Run].
//  2. [Book.Take] each order at each front, and [Book.Write] it at the one that was given it.
//
// Goroutines: none but Run's caller's. Take and Write may be called from any goroutine, and may wait for a List
// that writes; List is not for others beside Run.
package orders
