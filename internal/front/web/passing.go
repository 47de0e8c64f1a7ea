package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"weir/internal/ops/event"
	"weir/internal/stream"
)

// passing is a request on its way to a server. It belongs to the request's
// goroutine.
type passing struct {
	client client
	names  []stream.Name
	media  bool
	asked  string // the server that the cookie named

	publish bool   // it brings a stream
	at      string // the server that has the session which it is about
	query   string // for the server

	key   affinityKey
	began time.Time

	server   Server // that is asked, or has answered
	entry    Entry
	response *response
	end      func()  // its count at the server, once; nil until there is an answer
	tunnel   *tunnel // of an upgraded connection
	status   int     // of the answer; 0: there is none
	err      error   // why there is none, or not all of it
	ctx      context.Context
	expire   context.CancelCauseFunc
	conn     uint64 // its number, if it lasts
	unlist   func() // if it has one
	plain    bool   // GET by HTTP/1.1
	raw      bool   // the answer is to be a rawStream

	// Of the request's body, which the transport reads in a goroutine of its own.
	read    atomic.Bool           // some of it is gone
	in      atomic.Int64          // bytes
	all     *atomic.Int64         // those of all requests
	badBody atomic.Pointer[error] // what is wrong with it
}

// arrived counts n more bytes of the body.
func (p *passing) arrived(n int) {
	p.in.Add(int64(n))
	p.all.Add(int64(n))
}

// bodyError is what the client did wrong with its body.
func (p *passing) bodyError() error {
	if e := p.badBody.Load(); e != nil {
		return *e
	}
	return nil
}

// session is the request as events have it.
func (p *passing) session(r *http.Request) event.Session {
	s := event.Session{Conn: p.conn, Remote: r.RemoteAddr}
	if p.publish {
		s.Role = event.RolePublisher
	}
	if p.client.trusted && p.client.addr.IsValid() {
		s.Remote = p.client.addr.String()
	}
	if len(p.names) > 0 {
		s.App, s.Stream = p.names[0].App, p.names[0].Stream
	}
	return s
}

type passingKey struct{}

func passingOf(ctx context.Context) *passing { return ctx.Value(passingKey{}).(*passing) }

// lasts reports a request that is a session rather than one of many.
func (p *passing) lasts(r *http.Request) bool {
	return p.tunnel != nil || strings.HasSuffix(r.URL.Path, ".flv")
}

// begins reports an answer that begins a session.
func (p *passing) begins(res *http.Response) bool {
	return p.publish && p.at == "" && res.Request.Method == http.MethodPost && res.StatusCode/100 == 2
}

// leave ends what an answer has begun at its server. The proxy closes the bodies that it
// passes on, but not the connection of a 101 that it refuses: one to another protocol than
// was asked for, or to a client whose connection cannot be taken over.
func (p *passing) leave() {
	if p.end != nil {
		p.end()
	}
	if p.unlist != nil {
		p.unlist()
	}
	if p.tunnel != nil {
		p.tunnel.back.Close()
	}
}

// release gives the server's reservation back: nothing has come of it, or it is over.
func (p *passing) release() {
	if p.server.Done != nil {
		p.server.Done(false)
		p.server.Done = nil
	}
}

// closeAtEnd closes c when the request is over: its client may be one that takes nothing, and a write to it
// would hang.
func (p *passing) closeAtEnd(c io.Closer) {
	context.AfterFunc(p.ctx, func() { c.Close() })
}
