package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/ops/secret"
)

// PollOptions are a polled URL's.
type PollOptions struct {
	URL      string
	Interval time.Duration // DefaultPoll if 0
	Token    secret.String // sent as a bearer token
	Parse    func(data []byte) ([]fleet.Backend, error)
}

// Poll is a list of servers at a URL, asked for now and then.
//
// The answer counts if it is 200 and a list, or 304 to a question for a change. It is not followed elsewhere: the token is
// for that server, and so is the trust.
type Poll struct {
	view
	p      PollOptions
	client *http.Client
	etag   string // of the view in use
}

// NewPoll returns the source; Run starts it.
func NewPoll(o Options, p PollOptions) *Poll {
	return &Poll{view: view{o: o, source: "http:" + plain(p.URL)}, p: p, client: &http.Client{
		Timeout:       pollTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// Unpacking would make the bound on what is read one on something else.
		Transport: &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
			DialContext: (&net.Dialer{Timeout: pollTimeout}).DialContext}, // which a dial does not have from its request
	}}
}

// plain is a URL without what may be secret in it.
func plain(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the URL"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// Run polls until ctx ends.
func (s *Poll) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	every := cmp.Or(s.p.Interval, DefaultPoll)
	for {
		list, changed, err := s.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.bad(err)
		case changed:
			s.good(list)
		default:
			s.same()
		}
		if !sleep(ctx, every*9/10+rand.N(every/5)) {
			return
		}
	}
}

// ask asks once.
func (s *Poll) ask(ctx context.Context) (list []fleet.Backend, changed bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.p.URL, nil)
	if err != nil {
		return nil, false, errors.New("the URL is not valid")
	}
	req.Header.Set("Accept", "application/json")
	if s.etag != "" {
		req.Header.Set("If-None-Match", s.etag)
	}
	if s.p.Token.IsSet() {
		req.Header.Set("Authorization", "Bearer "+s.p.Token.Reveal())
	}
	resp, err := s.client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the URL, whose query may be secret
		}
		return nil, false, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && s.etag != "":
		return nil, false, nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, false, fmt.Errorf("it answers %d: a list is not looked for elsewhere", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, false, fmt.Errorf("it answers %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBytes+1))
	if err != nil {
		return nil, false, fmt.Errorf("the answer broke off: %w", err)
	}
	if len(data) > maxBytes {
		return nil, false, fmt.Errorf("the answer is longer than %d bytes", maxBytes)
	}
	if list, err = s.p.Parse(data); err != nil {
		return nil, false, err
	}
	s.etag = resp.Header.Get("ETag")
	return list, true, nil
}
