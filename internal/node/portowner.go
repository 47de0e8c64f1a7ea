package node

import (
	"bufio"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// portOwner returns the process that listens on a TCP port, "name (pid N)", or
// "" if it cannot be seen. proc is /proc (proc_pid_net(5), proc_pid_fd(5)): the
// socket's inode is looked up in net/tcp and tcp6, then among the descriptors of
// all processes. Other users' descriptors are visible to root only.
func portOwner(proc fs.FS, port uint16) string {
	inodes := map[string]bool{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		listening(proc, table, port, inodes)
	}
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

// listening adds the inodes of table's sockets that listen on port. A line:
// "sl local_address rem_address st … inode", hexadecimal but for the inode, the
// tenth field; state 0A is LISTEN.
func listening(proc fs.FS, table string, port uint16, inodes map[string]bool) {
	f, err := proc.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	want := fmt.Sprintf(":%04X", port)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && fields[3] == "0A" && strings.HasSuffix(fields[1], want) {
			inodes[fields[9]] = true
		}
	}
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
