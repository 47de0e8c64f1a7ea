package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"weir/internal/ops/secret"
)

func TestClientAgainstTheHandler(t *testing.T) {
	srv := httptest.NewServer(Handler(Options{Fleet: two, Token: secret.New("t0ken")}))
	defer srv.Close()
	c := Client{URL: srv.URL, Token: secret.New("t0ken")}
	nodes, raw, err := c.Nodes(t.Context())
	if err != nil || len(nodes) != 2 || nodes[1].Name != "o1" || !strings.Contains(string(raw), `"nodes"`) {
		t.Errorf("nodes: %+v, %v", nodes, err)
	}
	c.URL = strings.TrimPrefix(srv.URL, "http://") + "/"
	streams, _, err := c.Streams(t.Context())
	if err != nil || len(streams) != 2 || streams[1].Epoch != two.streams[1].Epoch {
		t.Errorf("streams: %+v, %v", streams, err)
	}
}

func TestClientErrorsAreOneClearLine(t *testing.T) {
	guarded := httptest.NewServer(Handler(Options{Fleet: two, Token: secret.New("t0ken")}))
	defer guarded.Close()
	other := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer other.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for url, want := range map[string]string{
		guarded.URL: "does not accept this token",
		other.URL:   "no node's admin listener",
		closed.URL:  "connection refused",
		"ftp://x":   "is no admin URL",
		"http://":   "is no admin URL",
		"%":         "is no admin URL",
		"http://u:wr0ng@" + strings.TrimPrefix(closed.URL, "http://"):  "connection refused",
		"http://u:wr0ng@" + strings.TrimPrefix(guarded.URL, "http://"): "does not accept this token",
		"http://u:wr0ng@" + strings.TrimPrefix(other.URL, "http://"):   "no node's admin listener",
		"u:wr0ng@h:port": "is no admin URL",
	} {
		_, _, err := Client{URL: url, Token: secret.New("wr0ng")}.Nodes(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}
