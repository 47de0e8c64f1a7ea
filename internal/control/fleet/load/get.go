package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// Dialer opens a connection to a host:port.
type Dialer func(ctx context.Context, addr string) (net.Conn, error)

// getter gets pages of strangers.
type getter struct{ client http.Client }

func newGetter(dial Dialer) *getter {
	return &getter{http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ // no proxy of the environment: these are our own servers
			// The transport's context lets a dial go on after its request.
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, pollTimeout)
				defer cancel()
				return dial(ctx, addr)
			},
			// No descriptor is kept for what comes once in seconds; no compressed answer, which could
			// be a thousand times what was sent.
			DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: 16 << 10,
		},
	}}
}

// get gives parse the body of a page, at most limit bytes of it. The error is a *[Fault].
func (g *getter) get(ctx context.Context, target string, limit int64, parse func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return &Fault{Word: Unreachable, Text: "the URL is not valid"}
	}
	req.Header.Set("User-Agent", "weir")
	if err := g.do(req, limit, parse); err != nil {
		f := *fault(err)
		if typed := (*Fault)(nil); !errors.As(err, &typed) && ctx.Err() != nil { // however the connection's end shows
			f = *fault(ctx.Err())
		}
		f.At = req.URL.Host + req.URL.EscapedPath() // neither user nor query: they may be secret
		return &f
	}
	return nil
}

func (g *getter) do(req *http.Request, limit int64, parse func(io.Reader) error) error {
	resp, err := g.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		to := "elsewhere"
		if u, err := url.Parse(resp.Header.Get("Location")); err == nil && u.Host != "" {
			to = "to " + shorten(u.Host)
		}
		return &Fault{Word: Redirected, Text: fmt.Sprintf("redirects %s (status %d), which is not followed", to, resp.StatusCode)}
	case resp.StatusCode != http.StatusOK:
		return &Fault{Word: BadStatus, Text: fmt.Sprintf("answers with status %d", resp.StatusCode)}
	case resp.Header.Get("Content-Encoding") != "":
		return garbage("the answer is compressed, which was not asked for")
	}
	return parse(&bounded{r: resp.Body, left: limit, limit: limit})
}

// bounded is a reader that fails, instead of ending, where more than the limit comes.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &Fault{Word: TooLong, Text: fmt.Sprintf("the answer has no end: more than %d MiB", b.limit>>20)}
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func shorten(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
