package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync/atomic"
	"time"

	"weir/internal/ops/event"
)

// Options are a Front's parts and limits. Zero durations are no limits.
type Options struct {
	Node    string  // this node's name, for Via
	Servers Servers // nil: this node is no front, what Local does not serve is not found
	// Local serves this node's own streams, of which Here reports whether a path is one.
	Local http.Handler
	Here  func(path string) bool
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	Emit  event.Sink

	// Trusted reports peers that may say whose request they bring.
	Trusted func(netip.Addr) bool
	// Fronts reports peers that are nodes of the cluster: what they bring is a client's
	// of theirs, who is at the right place already. They are trusted too.
	Fronts func(netip.Addr) bool
	// Admit counts what one client holds; ok is false if that is enough, which it has
	// said then. leave is called once. Nil: nobody counts.
	Admit func(who event.Session) (leave func(), ok bool)
	// Number is a new session's; nil: sessions have none, and are not listed.
	Number func() uint64
	// Ready says why no publisher, or no viewer, could be taken now; nil: one could.
	Ready func(publish bool) error

	Health   string // path of the health URL; "": none
	Redirect int    // status of a redirect to https, 301 or 308; 0: none
	TLSPort  int    // where the redirect leads

	Prefixes map[string]string // paths that stand for an application
	Publish  []string          // which requests bring a stream; see publishRule
	Plain    bool              // requests for no stream are passed on too
	Cookie   Cookie
	Body     int64 // the longest request body, in bytes

	Connect time.Duration // to reach a server
	Answer  time.Duration // for its answer to begin
	Silence time.Duration // without a byte from it
	Stall   time.Duration // without a byte taken, or sent of its body, by the client
	Gather  time.Duration // how long a stream's small pieces wait for more
	Tunnel  time.Duration // without a byte in either direction of an upgraded connection
}

func (o *Options) trusts(a netip.Addr) bool {
	return a.IsValid() && (o.Trusted != nil && o.Trusted(a) || o.isFront(a))
}

func (o *Options) isFront(a netip.Addr) bool { return o.Fronts != nil && o.Fronts(a) }

// Front is the handler.
type Front struct {
	o         Options
	via       string // this node in Via
	prefixes  prefixes
	publishes publishRules
	transport *http.Transport
	proxy     *httputil.ReverseProxy
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc

	sessions sessions
	affinity affinity
	health   health

	requests, streams atomic.Int64 // open at servers now; those that last
	total             atomic.Int64 // requests since the start
	in, out           atomic.Int64 // bytes of bodies, from and to clients of servers
}

// New returns a Front without requests.
func New(o Options) *Front {
	f := &Front{o: o, via: pseudonym(o.Node), prefixes: newPrefixes(o.Prefixes), publishes: newPublishRules(o.Publish)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.transport = f.newTransport()
	f.proxy = f.newProxy()
	return f
}

// Close ends every request at a server.
func (f *Front) Close() {
	f.cancel()
	f.transport.CloseIdleConnections()
}

// Load is what goes through to servers: requests open now, of those the streams
// (what lasts), and the bytes that have passed.
func (f *Front) Load() (requests, streams int, in, out int64) {
	return int(f.requests.Load()), int(f.streams.Load()), f.in.Load(), f.out.Load()
}

// Total is how many requests there have been, whoever answered them.
func (f *Front) Total() int64 { return f.total.Load() }

// pseudonym is a node's name as a token, which Via wants.
func pseudonym(node string) string {
	if node == "" {
		return "weir"
	}
	return node
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.total.Add(1)
	c := f.whose(r)
	if f.answersHealth(w, r) || f.sendsToTLS(w, r, c) || f.turnsAway(w, r) {
		return
	}
	if f.o.Admit != nil {
		leave, ok := f.o.Admit(event.Session{Remote: asOf(r, c).RemoteAddr, Role: event.RoleViewer})
		if !ok {
			w.Header().Set("Retry-After", "5")
			answer(w, http.StatusTooManyRequests, "This address has too many connections.")
			return
		}
		defer leave()
	}
	if f.o.Local != nil && (f.o.Servers == nil || f.o.Here(r.URL.Path)) {
		f.o.Local.ServeHTTP(w, asOf(r, c))
		return
	}
	f.pass(w, r, c)
}

// asOf is the request as if the client had sent it itself.
func asOf(r *http.Request, c client) *http.Request {
	if !c.trusted || !c.addr.IsValid() {
		return r
	}
	own := new(http.Request)
	*own = *r
	own.RemoteAddr = netip.AddrPortFrom(c.addr, 0).String()
	return own
}

// turnsAway answers what nobody should get.
func (f *Front) turnsAway(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
		answer(w, http.StatusMethodNotAllowed, "Not here.")
	case badPath(r.URL.Path):
		answer(w, http.StatusBadRequest, "No such path.")
	case f.looped(r):
		answer(w, http.StatusLoopDetected, "This request has been here before.")
	case f.o.Servers != nil && f.o.Body > 0 && r.ContentLength > f.o.Body:
		answer(w, http.StatusRequestEntityTooLarge, "The body is too long.")
	default:
		return false
	}
	return true
}

// sendsToTLS answers a plain request with where it is served.
func (f *Front) sendsToTLS(w http.ResponseWriter, r *http.Request, c client) bool {
	if f.o.Redirect == 0 || c.secure || c.inside {
		return false
	}
	to, ok := secureURL(r, f.o.TLSPort)
	if !ok {
		answer(w, http.StatusBadRequest, "No host.")
		return true
	}
	w.Header().Set("Location", to)
	answer(w, f.o.Redirect, "This is served by https.")
	return true
}

// answer is the front's own answer.
func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		w.Write([]byte(text + "\n"))
	}
}

// refusal is the answer to a request that no server has answered.
func refusal(err error) (status int, text string) {
	var tooLong *http.MaxBytesError
	var malformed *bodyFault
	var dial *dialError
	var unserved *NoHTTPError
	var timeout net.Error
	switch {
	case errors.As(err, &unserved): // and asking again would not help
		return http.StatusNotFound, "This stream is not served over HTTP."
	case errors.As(err, &tooLong):
		return http.StatusRequestEntityTooLarge, "The body is too long."
	case errors.Is(err, ErrNotHere):
		return http.StatusNotFound, "Nothing is here."
	case errors.Is(err, ErrNoServer):
		return http.StatusServiceUnavailable, "No server can answer this now; try again."
	case errors.Is(err, errBody):
		return http.StatusRequestTimeout, "The body did not arrive."
	case errors.As(err, &malformed):
		return http.StatusBadRequest, "The body is not what it says it is."
	case errors.As(err, &dial):
		return http.StatusBadGateway, "The server could not be reached."
	case errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusGatewayTimeout, "The server did not answer in time."
	}
	return http.StatusBadGateway, "The server did not answer as it should."
}
