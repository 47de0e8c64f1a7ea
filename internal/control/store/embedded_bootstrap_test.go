package store

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/proctest"
)

// lines is a log that tells when a line has all of some words.
type lines struct {
	words []string
	said  chan struct{} // closed when one had them

	mu   sync.Mutex
	once sync.Once
	b    bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.ContainsFunc(l.words, func(w string) bool { return !strings.Contains(string(p), w) }) {
		l.once.Do(func() { close(l.said) })
	}
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Two members with different lists say so, each with both, and begin nothing.
func TestMembersWithDifferentListsSaySo(t *testing.T) {
	a, b := "a="+proctest.Addr(t), "b="+proctest.Addr(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	logs := map[string]*lines{}
	for name, both := range map[string]string{"a": "b: " + a + "," + b + ",d=192.0.2.1:2; here: " + a + "," + b + ",c=192.0.2.1:1",
		"b": "a: " + a + "," + b + ",c=192.0.2.1:1; here: " + a + "," + b + ",d=192.0.2.1:2"} {
		logs[name] = &lines{words: []string{"different lists of members", both}, said: make(chan struct{})}
	}
	var wg sync.WaitGroup
	for name, peers := range map[string][]string{"a": {a, b, "c=192.0.2.1:1"}, "b": {a, b, "d=192.0.2.1:2"}} {
		wg.Go(func() {
			s, err := StartEmbedded(ctx, EmbeddedOptions{Name: name, Peers: peers, Logger: slog.New(slog.NewTextHandler(logs[name], nil))})
			if err == nil {
				s.Close()
				t.Errorf("%s has begun", name)
			}
		})
	}
	for name, log := range logs {
		select {
		case <-log.said:
		case <-ctx.Done():
			t.Errorf("%s says:\n%s", name, log)
		}
	}
	cancel()
	wg.Wait()
}

// Whoever answers at a member's address in another language is told from a member that is not there.
func TestWhoAnswersAtAMembersAddress(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	starting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != membersPath {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("[]"))
	}))
	defer starting.Close()
	ssh, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ssh.Close()
	go func() {
		for {
			c, err := ssh.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.2p1\r\n"))
			c.Close()
		}
	}()
	gone := proctest.Addr(t)
	for what, c := range map[string]struct {
		addr      string
		notMember bool
	}{
		"TLS":                 {secure.Listener.Addr().String(), true},
		"HTTP":                {web.Listener.Addr().String(), true},
		"another protocol":    {ssh.Addr().String(), true},
		"an etcd that begins": {starting.Listener.Addr().String(), false},
		"nobody":              {gone, false},
	} {
		a := ask(t.Context(), newPeerClient(), member{"b", c.addr}, []byte("{}"))
		if a.notMember != c.notMember || a.err == nil || a.bootstrapping != nil || a.cluster != nil {
			t.Errorf("%s: %+v", what, a)
		}
	}
}
