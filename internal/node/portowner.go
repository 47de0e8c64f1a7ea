package node

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// portOwner returns the process that keeps others from listening on a TCP address, "name (pid N)", or
// "" if it cannot be seen. An address that is not valid is every address. proc is
// /proc (proc_pid_net(5), proc_pid_fd(5)): the socket's inode is looked up in
// net/tcp and tcp6, then among the descriptors of all processes. Other users' descriptors are visible to root only.
func portOwner(proc fs.FS, addr netip.Addr, port uint16) string {
	addr = addr.Unmap().WithZone("") // the tables tell none
	same, others := map[string]bool{}, map[string]bool{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		for _, l := range listening(proc, table) {
			switch at := l.at.Addr().Unmap(); {
			case l.at.Port() != port:
			case at == addr:
				same[l.inode] = true
			case clash(at, addr):
				others[l.inode] = true
			}
		}
	}
	if len(same) > 0 { // [::] may leave IPv4 to others, which the tables do not say
		return holder(proc, same)
	}
	return holder(proc, others)
}

// clash reports whether two different addresses cannot be listened on together: one of them is every address, be it of
// IPv4 only.
func clash(a, b netip.Addr) bool {
	all := func(a, of netip.Addr) bool { return !a.IsValid() || a.IsUnspecified() && (a.Is6() || of.Is4()) }
	return all(a, b) || all(b, a)
}

// holder returns a process that has one of the sockets.
func holder(proc fs.FS, inodes map[string]bool) string {
	if len(inodes) == 0 {
		return ""
	}
	processes, err := fs.ReadDir(proc, ".")
	if err != nil {
		return ""
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		if !holds(proc, path.Join(p.Name(), "fd"), inodes) {
			continue
		}
		name, err := fs.ReadFile(proc, path.Join(p.Name(), "comm"))
		if err != nil {
			return fmt.Sprintf("the process %d", pid)
		}
		return fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}

// listenerAt is a socket that listens.
type listenerAt struct {
	at    netip.AddrPort
	inode string
}

// listening returns table's sockets that listen. A line:
// "sl local_address rem_address st … inode", hexadecimal but for the inode, the
// tenth field; state 0A is LISTEN.
func listening(proc fs.FS, table string) (all []listenerAt) {
	f, err := proc.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) <= 9 || fields[3] != "0A" {
			continue
		}
		if at, ok := parseLocal(fields[1]); ok {
			all = append(all, listenerAt{at, fields[9]})
		}
	}
	return all
}

// parseLocal reads "0100007F:078F": the port, and the address as words of 32 bits, each in the machine's order.
func parseLocal(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	if err != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for w := b; len(w) > 0; w = w[4:] {
		binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
	}
	addr, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(addr, uint16(n)), ok && err == nil
}

// holds reports whether one of the descriptors in dir is one of the sockets.
func holds(proc fs.FS, dir string, inodes map[string]bool) bool {
	fds, err := fs.ReadDir(proc, dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		target, err := fs.ReadLink(proc, path.Join(dir, fd.Name()))
		if err != nil {
			continue
		}
		inode, ok := strings.CutPrefix(target, "socket:[")
		if ok && inodes[strings.TrimSuffix(inode, "]")] {
			return true
		}
	}
	return false
}
