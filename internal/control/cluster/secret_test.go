package cluster_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
)

// errorLog keeps the errors that are logged.
type errorLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *errorLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}

// A node with another secret looks healthy; both sides say once what is wrong, and nobody else does.
func TestNodesOfTwoSecretsSaySo(t *testing.T) {
	const ours, other = "the secret of the cluster", "the secret of another cluster"
	bubble(t, func(t *testing.T, m *store.Memory) {
		logs := map[string]*errorLog{}
		member := func(name, secret string) {
			logs[name] = &errorLog{}
			join(t, handle(t, m), name, func(o *cluster.Options) {
				o.Secret = []byte(secret)
				o.Logger = slog.New(slog.NewTextHandler(logs[name], &slog.HandlerOptions{Level: slog.LevelError}))
			})
			synctest.Wait()
		}
		member("a", ours)
		member("b", ours)
		member("c", "") // makes one, and stores it
		member("d", "") // takes that
		member("e", other)
		for name, want := range map[string][]string{
			"a": {"[c]", "[d]", "[e]"}, "b": {"[c]", "[d]", "[e]"}, "c": {"[a b]", "[e]"}, "d": {"[a b]", "[e]"}, "e": {"[a b c d]"},
		} {
			got := logs[name].lines()
			if len(got) != len(want) {
				t.Errorf("%s: %q, want %q", name, got, want)
				continue
			}
			for i := range got {
				if !strings.Contains(got[i], "another secret") || !strings.Contains(got[i], want[i]) || strings.Contains(got[i], ours) || strings.Contains(got[i], other) {
					t.Errorf("%s: %q, want %s", name, got[i], want[i])
				}
			}
		}
	})
}
