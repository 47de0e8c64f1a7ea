//go:build !linux

package session

import "net"

// parker exists on Linux only; elsewhere every connection keeps its goroutine.
type parker struct{}

func newParker() *parker                    { return nil }
func (*parker) close()                      {}
func (*parker) number(*conn) uint64         { return 0 }
func (*parker) forget(uint64)               {}
func (*parker) arm(int, uint64, bool) error { return nil }
func (*parker) disarm(*net.TCPConn)         {}
