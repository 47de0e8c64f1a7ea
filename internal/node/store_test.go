package node

import (
	"errors"
	"log/slog"
	"net"
	"os"
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
