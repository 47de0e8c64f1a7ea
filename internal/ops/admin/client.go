package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"weir/internal/ops/secret"
)

// clientTimeout is for one whole request. A node waits for other nodes less than that.
const clientTimeout = 10 * time.Second

// maxAnswerBytes bounds an answer: 100,000 streams.
const maxAnswerBytes = 64 << 20

// Client asks the API of a node.
type Client struct {
	URL   string // http://HOST:PORT
	Token secret.String
}

// Nodes returns GET /api/v1/nodes, decoded and as it came.
func (c Client) Nodes(ctx context.Context) ([]Node, json.RawMessage, error) {
	var answer struct{ Nodes []Node }
	raw, err := c.get(ctx, "/api/v1/nodes", &answer)
	return answer.Nodes, raw, err
}

// Streams returns GET /api/v1/streams, decoded and as it came.
func (c Client) Streams(ctx context.Context) ([]Stream, json.RawMessage, error) {
	var answer struct{ Streams []Stream }
	raw, err := c.get(ctx, "/api/v1/streams", &answer)
	return answer.Streams, raw, err
}

// Drain orders a drain, Undrain its end; they return when it has begun.
func (c Client) Drain(ctx context.Context, node string, window time.Duration) error {
	_, err := c.ask(ctx, http.MethodPost, "/api/v1/nodes/"+url.PathEscape(node)+"/drain", url.Values{"window": {window.String()}}, new(struct{}))
	return err
}

// Undrain is the opposite of Drain.
func (c Client) Undrain(ctx context.Context, node string) error {
	_, err := c.ask(ctx, http.MethodPost, "/api/v1/nodes/"+url.PathEscape(node)+"/undrain", nil, new(struct{}))
	return err
}

// TokenError: the node's admin listener wants another token than the client has.
type TokenError struct {
	URL   string
	Given bool // there was one
}

func (e *TokenError) Error() string {
	if e.Given {
		return e.URL + " does not accept this token: it wants the node's admin.token, by --token or $WEIR_TOKEN"
	}
	return e.URL + " wants a token: give the node's admin.token by --token, or set $WEIR_TOKEN"
}

func (c Client) get(ctx context.Context, path string, into any) (json.RawMessage, error) {
	return c.ask(ctx, http.MethodGet, path, nil, into)
}

func (c Client) ask(ctx context.Context, method, path string, query url.Values, into any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	base := c.URL
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	named := secret.URL(base) // for errors: some write a user and a password into it
	at, err := url.Parse(base)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("%q is no admin URL: write http://HOST:PORT", named)
	}
	at = at.JoinPath(path)
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%q is no admin URL: write http://HOST:PORT", named)
	}
	if c.Token.IsSet() {
		req.Header.Set("Authorization", "Bearer "+c.Token.Reveal())
	}
	// A redirect would carry the token elsewhere, and no node sends one.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no node answers at %s (%v): is it running, and is this its admin listener?", named, reason(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %v", named, reason(err))
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, &TokenError{URL: named, Given: c.Token.IsSet()}
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted {
		var p struct{ Detail string }
		if json.Unmarshal(body, &p) == nil && p.Detail != "" {
			return nil, fmt.Errorf("%s: %s", named, p.Detail)
		}
		return nil, fmt.Errorf("%s: %s: this is no node's admin listener", named, resp.Status)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("%s: the answer is not JSON: this is no node's admin listener", named)
	}
	return body, nil
}

// reason returns what went wrong without the URL, which the caller names.
func reason(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var oe *net.OpError
	if errors.As(err, &oe) {
		err = oe.Err
	}
	return err
}
