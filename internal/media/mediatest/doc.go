// Package mediatest runs whole nodes of the media wing in a test: sessions,
// ingest, play, relay and hub as a real node wires them, over a
// [testnet.Network] and a registry in memory. Everything runs on the time
// package's clock, so in a testing/synctest bubble too.
//
// The caller starts a [World], nodes in it, publishers and viewers, and breaks
// what it likes. All of it is ended and waited for when the test ends; what is
// left in memory then is an error of the test.
package mediatest
