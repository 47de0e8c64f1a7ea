// Package agent answers HAProxy's agent checks, so that an existing HAProxy balances Weir's nodes by what
// they really carry:
//
//	server media1 10.0.0.1:1935 check agent-check agent-port 8082 agent-inter 2s
//
// Whoever connects gets one line and the end of the connection (HAProxy configuration manual, "agent-check").
// The line says all of a node's state, every time, because HAProxy keeps what a line does not mention:
//
//	up ready 63%                 takes sessions; 63 % of its configured weight
//	up drain                     finishes what it has
//	down #REASON                 can take nothing
//
// What it is not: a health check. A node that is gone does not answer here, which HAProxy does not count as a
// failure; "check" beside "agent-check" finds that out.
//
// The listener shows a load and a state and takes nothing, so it has no token. Goroutines: the caller's, in
// [Serve], and one for each connection, of which there are at most maxConns, each for at most maxTime.
package agent
