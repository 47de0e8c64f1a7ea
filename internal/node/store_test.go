package node

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"weir/internal/ops/config"
)

func TestStorePortInUseNamesItsOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	for what, s := range map[string]config.Store{
		"clients": {Kind: config.StoreEmbedded, Listen: taken},
		"peers":   {Kind: config.StoreEmbedded, Listen: "127.0.0.1:0", Peers: []string{"a=" + taken}},
	} {
		cfg := config.Config{Node: config.Node{Name: "a"}, Store: s}
		cfg.Store.Dir = t.TempDir()
		_, err := openStore(t.Context(), &cfg, slog.New(slog.DiscardHandler))
		var le *ListenError
		if !errors.As(err, &le) || le.Addr != taken || le.Owner == "" {
			t.Errorf("%s, pid %d: %v", what, os.Getpid(), err)
		}
	}
}

// A member whose address among the peers is another machine's is told so, and by which key.
func TestStorePeerAddressOfAnotherMachine(t *testing.T) {
	cfg := config.Config{Node: config.Node{Name: "a"}, Store: config.Store{Kind: config.StoreEmbedded, Listen: "127.0.0.1:0", Dir: t.TempDir(),
		Peers: []string{"a=192.0.2.1:2380", "b=192.0.2.2:2380", "c=192.0.2.3:2380"}}}
	_, err := openStore(t.Context(), &cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "store.peers: 192.0.2.1:2380 is not an address of this machine") {
		t.Error(err)
	}
}
