package rig

import (
	"fmt"
	"os"
	"strings"
)

const congestionFile = "/proc/sys/net/ipv4/tcp_congestion_control"

// fixCongestion sets the congestion control of the machine's new connections, by the
// kernel's name for it. restore undoes it; now is what is in force.
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
			fmt.Fprintln(os.Stderr, "the congestion control could not be restored:", err)
		}
	}, want, nil
}
