package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"weir/internal/ops/event"
)

// chooser is the Front as the transport of its proxy: it chooses the server, and the
// next one if that fails before its answer begins.
type chooser Front

// dialError is a server that could not be reached: it has seen nothing of the
// request, which may go to another.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// again are the answers that another server may have a better one to.
var again = []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// RoundTrip implements http.RoundTripper.
func (c *chooser) RoundTrip(r *http.Request) (*http.Response, error) {
	f := (*Front)(c)
	p := passingOf(r.Context())
	ask := Request{Names: p.names, Media: p.media, Publish: p.publish, Session: p.at, Source: p.client.addr, Prefer: p.asked}
	if ask.Prefer == "" && p.media && !p.lasts(r) {
		ask.Prefer = f.affinity.get(p.key, p.began)
	}
	var failed error
	for range maxTries {
		s, err := f.o.Servers.Choose(ask)
		if err != nil {
			if failed == nil {
				failed = err
			}
			break
		}
		p.server = s
		res, err := f.send(r, s)
		if err == nil {
			if better := f.elsewhere(r, p, res, ask); better != nil {
				res = better
			}
			f.took(p, res)
			return res, nil
		}
		p.release()
		failed = err
		if own := p.bodyError(); own != nil {
			return nil, own // the client's fault
		}
		if r.Context().Err() != nil {
			break // nobody waits for the answer
		}
		f.accuse(r, p, s.Name, err)
		if !retriable(r, p, err) || time.Since(p.began) >= patience {
			break
		}
		ask.Exclude = append(ask.Exclude, s.Name)
	}
	return nil, failed
}

// elsewhere asks another server when one says that it cannot answer now, which a node that is
// being drained does; nil: nobody has a better answer. It asks once.
func (f *Front) elsewhere(r *http.Request, p *passing, res *http.Response, ask Request) *http.Response {
	if !slices.Contains(again, res.StatusCode) || !repeatable(r) || time.Since(p.began) >= patience {
		return nil
	}
	first := p.server
	ask.Exclude = append(ask.Exclude, first.Name)
	s, err := f.o.Servers.Choose(ask)
	if err != nil {
		return nil
	}
	p.server = s
	other, err := f.send(r, s)
	if err != nil {
		if r.Context().Err() == nil { // else it is the client who is gone
			f.accuse(r, p, s.Name, err)
		}
	} else if !slices.Contains(again, other.StatusCode) {
		res.Body.Close()
		if first.Done != nil {
			first.Done(false)
		}
		return other
	} else {
		other.Body.Close()
	}
	p.release()
	p.server = first
	return nil
}

// accuse notes that a server has not answered.
func (f *Front) accuse(r *http.Request, p *passing, server string, err error) {
	f.o.Servers.Failed(server, err)
	f.o.Emit.Emit(event.BackendFailed{Session: p.session(r), Node: server, Phase: event.PhasePlace, Reason: reasonOf(err), Err: err})
}

// took notes that a server has answered.
func (f *Front) took(p *passing, res *http.Response) {
	if res.StatusCode < http.StatusInternalServerError {
		f.o.Servers.Succeeded(p.server.Name)
	}
	if p.media && !p.lasts(res.Request) && res.StatusCode < http.StatusBadRequest {
		f.affinity.put(p.key, p.server.Name, p.began)
	}
}

// send asks one server.
func (f *Front) send(r *http.Request, s Server) (*http.Response, error) {
	to := *r.URL
	to.Host = s.Addr
	out := *r
	out.URL = &to
	if r.Body != nil {
		out.Body = io.NopCloser(r.Body) // it may be another server's yet
	}
	res, err := f.transport.RoundTrip(&out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	res.Request = r
	return res, nil
}

// repeatable reports a request that changes nothing, and that can be sent again.
func repeatable(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions) && r.Body == nil
}

// retriable reports a failure after which another server may be asked: nobody can
// have acted on the request, and nothing of its body is gone.
func retriable(r *http.Request, p *passing, err error) bool {
	var dial *dialError
	return repeatable(r) || errors.As(err, &dial) && !p.read.Load()
}

// reasonOf is what a server's failure is called.
func reasonOf(err error) event.Reason {
	var dial *dialError
	var timeout net.Error
	switch {
	case errors.As(err, &dial):
		return event.DialFailed
	case errors.As(err, &timeout) && timeout.Timeout():
		return event.SourceSilent
	}
	return event.SourceLost
}

// newTransport makes the connections to servers: HTTP/1.1, kept for the next request.
func (f *Front) newTransport() *http.Transport {
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if f.o.Connect > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, f.o.Connect)
				defer cancel()
			}
			nc, err := f.o.Dial(ctx, network, addr)
			if err != nil {
				return nil, &dialError{err}
			}
			return nc, nil
		},
		Proxy:              nil,  // servers are ours
		DisableCompression: true, // the client's and the server's to agree on
		MaxIdleConns:       keepIdle, MaxIdleConnsPerHost: keepIdlePerServer, IdleConnTimeout: keepIdleFor,
		ResponseHeaderTimeout: f.o.Answer, MaxResponseHeaderBytes: answerHeaderBytes,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       4 << 10, ReadBufferSize: readBytes,
		Protocols: new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}
