//go:build !linux

package node

import "net"

// listener leaves keep-alive probes to package net.
var listener net.ListenConfig
