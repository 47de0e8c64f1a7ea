package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// alone makes sure that no second run is under way, of this program or of
// fanout: they would measure each other. The lock goes with the process.
func alone() (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "weir-fanout.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another measurement is under way")
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

const congestionFile = "/proc/sys/net/ipv4/tcp_congestion_control"

// fixCongestion sets the congestion control of new connections. restore undoes
// it; now is what is in force.
func fixCongestion(want string) (restore func(), now string, err error) {
	b, err := os.ReadFile(congestionFile)
	if err != nil {
		return func() {}, "unknown", err
	}
	before := strings.TrimSpace(string(b))
	if before == want {
		return func() {}, before, nil
	}
	if err := os.WriteFile(congestionFile, []byte(want), 0); err != nil {
		return func() {}, before, err
	}
	return func() {
		if err := os.WriteFile(congestionFile, []byte(before), 0); err != nil {
			fmt.Fprintln(os.Stderr, "proxy: the congestion control could not be restored:", err)
		}
	}, want, nil
}
