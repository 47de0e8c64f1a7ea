package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/ops/event"
	"weir/internal/stream"
)

// pass hands a request to a server and its answer back.
func (f *Front) pass(w http.ResponseWriter, r *http.Request, c client) {
	p := &passing{client: c, all: &f.in, began: time.Now(), plain: r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoMinor == 1}
	f.classify(p, r)
	if f.o.Servers == nil || !f.o.Plain && len(p.names) == 0 && !p.publish {
		answer(w, http.StatusNotFound, "Nothing is here.")
		return
	}
	p.key = affinityOf(c, r)
	p.response = &response{ResponseWriter: w, control: http.NewResponseController(w), stall: f.o.Stall, p: p}

	ctx, expire := context.WithCancelCause(context.WithValue(r.Context(), passingKey{}, p))
	p.ctx, p.expire = ctx, expire
	defer expire(nil)
	defer context.AfterFunc(f.ctx, func() { expire(errClosing) })()
	if r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody {
		r.Body = &requestBody{r: f.limited(w, r), control: p.response.control, stall: f.o.Stall, p: p}
	}
	f.requests.Add(1)
	defer f.requests.Add(-1)
	defer f.done(r, ctx, p) // also when the answer breaks off, which is a panic
	defer p.response.close()
	defer p.leave()
	f.proxy.ServeHTTP(p.response, r.WithContext(ctx))
	p.response.end()
}

// classify finds out what a request is for. A server that is named in a URL is believed only where a session can
// be: anybody can write one, and would get at whatever else a server has.
func (f *Front) classify(p *passing, r *http.Request) {
	p.names, p.media = f.prefixes.names(r.URL.Path)
	query, at := cutSession(r.URL.RawQuery)
	p.query = query
	name, ok := f.publishes.match(r)
	if !ok || p.media && at == "" {
		return
	}
	p.publish, p.at, p.names = true, at, nil
	if name != (stream.Name{}) {
		p.names = []stream.Name{name}
	}
}

func (f *Front) limited(w http.ResponseWriter, r *http.Request) io.ReadCloser {
	if f.o.Body <= 0 {
		return r.Body
	}
	return http.MaxBytesReader(w, r.Body, f.o.Body)
}

// done says what has become of a request. What lasted has its closing line, as any
// session; segments and pages are counted.
func (f *Front) done(r *http.Request, ctx context.Context, p *passing) {
	if p.entry.In != nil && p.tunnel == nil {
		p.entry.In.Add(p.in.Load())
	}
	if why := context.Cause(ctx); p.err == nil && why != nil && !errors.Is(why, context.Canceled) {
		p.err = why
	}
	var reason event.Reason
	if errors.Is(context.Cause(ctx), errKicked) {
		reason, p.err = event.Kicked, nil
	}
	f.o.Emit.Emit(event.Proxied{Session: p.session(r), Reason: reason, Server: p.server.Name, Status: p.status, Lasting: p.lasts(r),
		BytesIn: p.in.Load(), BytesOut: p.response.out.Load(), Dur: time.Since(p.began), Err: p.err})
}

// newProxy makes the part that is net/http's.
func (f *Front) newProxy() *httputil.ReverseProxy {
	pool := &sync.Pool{New: func() any { return new([copyBytes]byte) }}
	return &httputil.ReverseProxy{
		Transport:     (*chooser)(f),
		FlushInterval: -1, // a stream is passed on as it comes
		BufferPool:    bufferPool{pool},
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // done says it
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL.Scheme = "http"
			p := passingOf(pr.In.Context())
			pr.Out.URL.RawQuery = p.query // the server's to read
			pr.Out.Host = pr.In.Host
			p.asked = f.o.Cookie.take(pr.Out.Header)
			f.forwarded(pr.Out.Header, pr.In, p.client)
		},
		ModifyResponse: f.answered,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p := passingOf(r.Context())
			if p.err == nil {
				p.err = err
			}
			if own := p.bodyError(); own != nil {
				err = own
			} else if why := context.Cause(r.Context()); errors.Is(why, errClosing) {
				err = ErrNoServer
			} else if why != nil {
				panic(http.ErrAbortHandler) // nobody is there to hear; net/http's way to say nothing
			}
			if unserved, ok := errors.AsType[*NoHTTPError](err); ok {
				f.o.Emit.Emit(event.Refused{Session: p.session(r), Reason: event.NoHTTPAddress, Err: unserved})
			}
			status, text := refusal(err)
			if status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "1")
			}
			answer(w, status, text)
		},
	}
}

// answered prepares the answer of a server for its client.
func (f *Front) answered(res *http.Response) error {
	p := passingOf(res.Request.Context())
	p.status = res.StatusCode
	f.o.Cookie.put(res.Header, p.server.Name, p.asked, p.client.secure)
	long := res.StatusCode == http.StatusSwitchingProtocols || strings.HasSuffix(res.Request.URL.Path, ".flv") && res.StatusCode == http.StatusOK
	if to := res.Header.Get("Location"); to != "" && p.begins(res) {
		res.Header.Set("Location", sessionURL(to, p.server))
	}
	p.end = f.enter(p, long, p.begins(res))
	upgraded := res.StatusCode == http.StatusSwitchingProtocols
	if long && f.o.Number != nil {
		p.conn = f.o.Number()
		p.unlist = f.sessions.open(p.conn, lasting{p, p.session(res.Request), p.server.Name, upgraded})
	}
	if upgraded {
		if back, ok := res.Body.(io.ReadWriteCloser); ok {
			p.tunnel = newTunnel(f.o.Tunnel, p)
			res.Body = p.tunnel.server(back)
			return nil
		}
	}
	body := &answerBody{ReadCloser: res.Body, silence: f.o.Silence, p: p, gone: res.Request.Context().Done()}
	if long {
		body.gather = f.o.Gather
		p.raw = p.plain && res.ContentLength < 0 && len(res.Trailer) == 0
	}
	res.Body = body
	return nil
}

// enter counts a request at its server; what it returns ends that, once.
func (f *Front) enter(p *passing, long, begins bool) (end func()) {
	p.entry = f.o.Servers.Open(p.server.Name)
	p.response.sinks = []*atomic.Int64{&f.out, p.entry.Out}
	if long {
		f.streams.Add(1)
	}
	if p.server.Done != nil && (long || p.media || begins) {
		p.server.Done(true) // who has begun goes on
		p.server.Done = nil
	}
	return sync.OnceFunc(func() {
		if long {
			f.streams.Add(-1)
		}
		p.release()
		if p.entry.End != nil {
			p.entry.End()
		}
	})
}

type bufferPool struct{ p *sync.Pool }

func (b bufferPool) Get() []byte  { return b.p.Get().(*[copyBytes]byte)[:] }
func (b bufferPool) Put(x []byte) { b.p.Put((*[copyBytes]byte)(x)) }
