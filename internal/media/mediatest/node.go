package mediatest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/play"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
	"weir/rtmp"
)

// The limits that nodes run with. Linger is a pull's life without viewers, Grace a
// stream's without a publisher, Silence a feed's without media (a publisher's is
// three times that).
const (
	Linger  = 10 * time.Second
	Grace   = 15 * time.Second
	Silence = 5 * time.Second
	Command = 10 * time.Second
)

// T is the test that a World is for: what is used of a *testing.T.
type T interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// World is a network, a registry and the nodes on them.
type World struct {
	T
	Net      testnet.Network
	Registry *Registry
	Secret   []byte
	Wait     time.Duration // play.wait of all nodes
	Grace    time.Duration // and publish.grace
	Shape    stamp.Shape   // of what Publish publishes

	hosts int
}

// NewWorld returns a World without nodes.
func NewWorld(t T) *World {
	return &World{T: t, Registry: newRegistry(), Secret: []byte("the cluster's"), Grace: Grace, Shape: Shape}
}

// Node is one running node.
type Node struct {
	Name, Addr string
	Hub        *live.Hub
	Ingest     *ingest.Service
	Peers      *relay.Peers
	Pulls      *relay.Pulls
	Play       *play.Service
	Sessions   *session.Server
	Rec        *event.Recorder

	w       *World
	ln      net.Listener
	served  chan error
	stopped bool
}

// Start runs a node until the test ends.
func (w *World) Start(name string) *Node { return w.StartWith(name, nil) }

// StartWith runs a node whose sessions go to a handler made for it.
func (w *World) StartWith(name string, handler func(*Node) session.Handler) *Node {
	w.Helper()
	w.hosts++
	n := &Node{Name: name, Addr: fmt.Sprintf("10.0.0.%d:1935", w.hosts), Rec: &event.Recorder{}, w: w, served: make(chan error, 1)}
	n.Hub = live.NewHub(live.Options{Pumps: 1})
	always := func(d time.Duration) func(string) time.Duration { return func(string) time.Duration { return d } }
	reg := view{w.Registry, n}
	n.Peers = relay.NewPeers(name, n.secret, w.Net.Dial)
	n.Pulls = relay.NewPulls(relay.PullOptions{Hub: n.Hub, Peers: n.Peers, Locator: reg, Emit: n.Rec.Sink,
		Linger: always(Linger), Grace: func(string) time.Duration { return w.Grace }, Wait: func(string) time.Duration { return w.Wait }, Silence: Silence})
	n.Ingest = ingest.New(ingest.Options{Hub: n.Hub, Registry: reg, Emit: n.Rec.Sink,
		FirstMedia: 10 * time.Second, Silence: 3 * Silence,
		OnStart: n.Pulls.LocalStarted, OnEnd: n.Pulls.LocalEnded})
	n.Play = play.New(play.Options{Pulls: n.Pulls, Local: publications{n.Ingest}, Emit: n.Rec.Sink, WriteStall: 10 * time.Second})
	var h session.Handler = Handler{n}
	if handler != nil {
		h = handler(n)
	}
	n.Sessions = session.NewServer(session.Options{Node: name, Secret: n.secret, Handler: h, Emit: n.Rec.Sink,
		Wire: rtmp.Limits{Handshake: -1}, Handshake: 5 * time.Second, Command: Command, ConnectionsPerAddr: 256})
	n.Listen()
	w.Cleanup(n.Stop)
	return n
}

func (n *Node) secret() []byte { return n.w.Secret }

// Listen accepts sessions, at first or again.
func (n *Node) Listen() {
	ln, err := n.w.Net.Listen(n.Addr)
	if err != nil {
		n.w.Fatal(err)
	}
	n.ln = ln
	go func() { n.served <- n.Sessions.Serve(ln, nil) }()
}

// URL is where a stream is published and played at this node.
func (n *Node) URL(name stream.Name) string { return "rtmp://" + n.Addr + "/" + name.String() }

// Unlisten stops accepting: newcomers are refused.
func (n *Node) Unlisten() {
	n.ln.Close()
	if err := <-n.served; err != nil {
		n.w.Errorf("%s: serve: %v", n.Name, err)
	}
}

// Kill is a crash as others see it: every connection is reset, none is accepted.
// The node itself is stopped when the test ends.
func (n *Node) Kill() {
	n.Unlisten()
	for _, l := range n.w.Net.Links(n.Addr) {
		l.Reset()
	}
}

// Stop ends the node in the order in which a real one ends, and checks that it
// leaves nothing.
func (n *Node) Stop() {
	if n.stopped {
		return
	}
	n.stopped = true
	n.ln.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := n.Sessions.Close(ctx); err != nil {
		n.w.Errorf("%s: sessions: %v", n.Name, err)
	}
	n.Pulls.Close()
	n.Peers.Close()
	n.Hub.Close()
	if s, p, i := n.Sessions.Len(), n.Pulls.Len(), n.Ingest.Len(); s+p+i != 0 {
		n.w.Errorf("%s is left with %d sessions, %d pulls, %d publications", n.Name, s, p, i)
	}
	for st := range n.Hub.Streams() {
		n.w.Errorf("%s is left with stream %v", n.Name, st.Name())
	}
}

// Handler serves every session at the node itself.
type Handler struct{ *Node }

// Publish implements session.Handler.
func (h Handler) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	pub, err := h.Ingest.Publish(ctx, ingest.Request{Name: p.Name, Timeline: p.Extra.Timeline, Session: p.Session, Carried: p.Extra.Hops > 0},
		func(why error) {
			code := rtmp.CodePublishRejected
			if errors.Is(why, ingest.ErrTakenOver) {
				code = rtmp.CodePublishBadName
			}
			p.Evict(code, ingest.Reason(why), why)
		})
	var busy *ingest.BusyError
	if errors.As(err, &busy) {
		return nil, &session.Rejection{Code: rtmp.CodePublishBadName, Description: "Already publishing.", Reason: event.Busy, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return pub, nil
}

// Play implements session.Handler.
func (h Handler) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	return h.Node.Play.RTMP(ctx, p)
}

// Query implements session.Handler: it echoes.
func (h Handler) Query(_ context.Context, question, arg string) (string, error) {
	return question + "/" + arg, nil
}

type publications struct{ s *ingest.Service }

// Feed implements play.Publications.
func (p publications) Feed(name stream.Name) (*live.Stream, member.FeedFacts, <-chan struct{}, bool) {
	pub, ok := p.s.Lookup(name)
	if !ok {
		return nil, member.FeedFacts{}, nil, false
	}
	f, ok := pub.Feed()
	if !ok {
		return nil, member.FeedFacts{}, nil, false
	}
	return f.Stream, member.FeedFacts{Epoch: f.Epoch}, f.Over, true
}
