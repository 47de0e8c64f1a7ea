// Package node builds a running node out of the parts of Weir. It is the one
// place that knows them all, and it holds what is left when every part knows
// only its own business: which part takes a publish or a play (router.go), how
// ownership in the cluster looks to the media wing (registry.go), whom a newcomer may
// take a stream from (claim.go, silence.go), how a node is emptied (drain.go, empty.go), what nodes ask each
// other (query.go), what the node reports of itself (load.go) and of its streams (facts.go), and answers about
// the fleet (adminview.go).
//
// Order matters at both ends. Starting: listeners are bound first, so that a
// taken port is the first thing an operator hears of and the node's own record
// carries true addresses; then the store, the cluster, the media wing; accepting
// comes last. Stopping is the reverse: no newcomers, sessions told and closed,
// pulls ended, the cluster left (which removes the records at once), the store.
package node
