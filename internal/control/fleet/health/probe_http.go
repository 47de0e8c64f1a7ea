package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"weir/internal/control/fleet"
)

// probeHTTP gets a page. 2xx and 3xx are good, as for HAProxy; a redirect is
// not followed.
func probeHTTP(ctx context.Context, dial Dialer, b *fleet.Backend, timeout time.Duration) (int, *Failure) {
	target := b.Check.URL
	if target == "" {
		target = "http://" + address(b) + "/"
	}
	at := place(target)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, &Failure{Status: connectRefused, Reason: "the URL of the check is not valid"}
	}
	req.Header.Set("User-Agent", "weir-check")
	var accepted atomic.Bool // set by the transport's own goroutine, which may outlive the request
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			// Within the check's time: the transport's own context lets a dial go on after its
			// request, and a host that is gone would collect one a check.
			DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
				nc, err := dial(ctx, addr)
				accepted.Store(err == nil)
				return nc, err
			},
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeaderBytes,
		},
	}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		late := timedOut(err) || errors.Is(err, context.DeadlineExceeded)
		switch {
		case late && accepted.Load():
			return 0, silence(at, "HTTP answer", timeout)
		case !accepted.Load() && errors.Is(err, context.DeadlineExceeded):
			return 0, &Failure{Status: connectTimeout, Reason: fmt.Sprintf("%s: no answer to the connection within %s", at, timeout)}
		case !accepted.Load():
			return 0, dialFailure(at, err, timeout)
		}
		return 0, &Failure{Status: answerBroken, Reason: fmt.Sprintf("%s: no HTTP answer: %v", at, bare(err))}
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxBodyBytes) // what it says does not matter, only that it can end in good order
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return resp.StatusCode, &Failure{Status: answerStatus, Code: resp.StatusCode, Reason: fmt.Sprintf("%s: answers with status %d", at, resp.StatusCode)}
	}
	return resp.StatusCode, nil
}

// place is a URL without what may be secret in it: user and query.
func place(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "the URL of the check"
	}
	return u.Host + u.EscapedPath()
}
