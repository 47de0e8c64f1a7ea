package node

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
)

// procfs is a /proc in which process 100+i listens on the i-th address.
func procfs(listening ...string) fs.FS {
	tables := map[bool]*strings.Builder{true: {}, false: {}}
	proc := fstest.MapFS{}
	for i, text := range listening {
		at := netip.MustParseAddrPort(text)
		b := at.Addr().AsSlice()
		for w := b; len(w) > 0; w = w[4:] {
			binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
		}
		fmt.Fprintf(tables[at.Addr().Is6()], "%4d: %s:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 %d 1 0 100 0 0 10 0\n",
			i, strings.ToUpper(hex.EncodeToString(b)), at.Port(), 5000+i)
		pid := fmt.Sprint(100 + i)
		proc[pid+"/comm"] = &fstest.MapFile{Data: []byte(at.Addr().String() + "\n")}
		proc[pid+"/fd/3"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: fmt.Appendf(nil, "socket:[%d]", 5000+i)}
	}
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	proc["net/tcp"] = &fstest.MapFile{Data: []byte(head + tables[false].String())}
	proc["net/tcp6"] = &fstest.MapFile{Data: []byte(head + tables[true].String())}
	return proc
}

// Who is told to end a process is told the one that has the address, not another one with its port.
func TestThePortsOwnerHasTheAddress(t *testing.T) {
	for _, tc := range []struct {
		listening string
		want      string // address to listen on; "": every one
		owner     string // the process's name
	}{
		{"127.0.0.31:1935 127.0.0.41:1935", "127.0.0.41", "127.0.0.41 (pid 101)"},
		{"127.0.0.31:1935 127.0.0.41:1936", "127.0.0.41", ""},
		{"127.0.0.31:1935 0.0.0.0:1935", "127.0.0.41", "0.0.0.0 (pid 101)"},
		{"127.0.0.31:1935 [::]:1935", "127.0.0.41", ":: (pid 101)"},
		{"[::]:1935 127.0.0.41:1935", "127.0.0.41", "127.0.0.41 (pid 101)"},
		{"[::ffff:127.0.0.41]:1935", "127.0.0.41", "::ffff:127.0.0.41 (pid 100)"},
		{"0.0.0.0:1935 [2001:db8::1]:1935", "2001:db8::1", "2001:db8::1 (pid 101)"},
		{"0.0.0.0:1935 [2001:db8::2]:1935", "2001:db8::1", ""},
		{"[::]:1935", "2001:db8::1", ":: (pid 100)"},
		{"[fe80::1]:1935", "fe80::1%lo", "fe80::1 (pid 100)"},
		{"127.0.0.31:1936 127.0.0.41:1935", "", "127.0.0.41 (pid 101)"},
		{"127.0.0.31:1936 127.0.0.41:1935", "::", "127.0.0.41 (pid 101)"},
		{"[2001:db8::1]:1935 127.0.0.41:1935", "0.0.0.0", "127.0.0.41 (pid 101)"},
	} {
		var addr netip.Addr
		if tc.want != "" {
			addr = netip.MustParseAddr(tc.want)
		}
		if got := portOwner(procfs(strings.Fields(tc.listening)...), addr, 1935); got != tc.owner {
			t.Errorf("%q is in use by %q, with %s; want %q", tc.want, got, tc.listening, tc.owner)
		}
	}
}
