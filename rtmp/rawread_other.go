//go:build !unix

package rtmp

import "errors"

// rawReads says that sockets are read through net.Conn, with a buffer each.
const rawReads = false

func rawRead(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func rawWrite(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func wouldBlock(error) bool { return false }

// setReadMark: readers that wait are woken by the first byte.
func setReadMark(uintptr, int) error { return nil }
