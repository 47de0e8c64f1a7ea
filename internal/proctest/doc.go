// Package proctest runs the programs that a test needs: in a group of their own, dead with the
// test at the latest, and with all that they write kept. It finds the ports for them, and tells how long the
// machine has kept a process waiting.
//
// It knows no program, and of tests only how to end one: names, waiting and what a failure prints are the
// caller's. Each Process has one goroutine that waits for its end, and while there are any the package has one
// thread that starts them all. Each address that FreeAddr gave out costs a descriptor, a UDP socket of the same
// port, until the process ends: that is its mark, and nobody gives it back.
package proctest
