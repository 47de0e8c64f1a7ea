package node

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/admin"
	"weir/internal/ops/event"
)

const (
	// sessionPageBytes bounds one answer, before its last session: a command has 64 KiB, and a
	// session is 0.3 KiB, 4 KiB if its names are long and full of what JSON escapes.
	sessionPageBytes = 48 << 10
	sessionLeast     = 100 // bytes: no session is shorter
	// sessionsTimeout is how long a listing waits for a node, in all. Why not shorter: 20,000
	// sessions are 100 pages. Why not longer: the client of the API waits.
	sessionsTimeout = 5 * time.Second
)

// client is one session of a client of this node: a publish or play by RTMP, or one over HTTP.
type client struct {
	conn uint64
	held *session.Held // nil: over HTTP
	over admin.Session // HTTP
	end  func()
}

// clients are the sessions of this node's clients, by connection. What other nodes have here
// for clients of theirs is theirs to show and to end: a front would go on elsewhere. Over HTTP nobody would, and a
// front's viewers are listed at both.
//
// Only those of the connections from first on, and of no more than so many connections: sorting all
// for each page of 20,000 sessions would take minutes.
func (n *node) clients(first uint64, most int) []client {
	var all []client
	held := n.sessions.Held()
	for i := range held {
		if h := &held[i]; h.Member == "" && h.Conn >= first {
			all = append(all, client{conn: h.Conn, held: h})
		}
	}
	all = append(all, slices.DeleteFunc(n.overHTTP(), func(c client) bool { return c.conn < first })...)
	if len(all) > most {
		conns := make([]uint64, len(all))
		for i := range all {
			conns[i] = all[i].conn
		}
		slices.Sort(conns)
		all = slices.DeleteFunc(all, func(c client) bool { return c.conn > conns[most-1] })
	}
	slices.SortStableFunc(all, func(a, b client) int { return cmp.Compare(a.conn, b.conn) })
	return all
}

// overHTTP are the sessions over HTTP: streams that this node serves, and what it passes to servers for as long as it lasts.
func (n *node) overHTTP() (all []client) {
	add := func(s event.Session, began time.Time, view admin.Session, end func()) {
		view.ID, view.Node, view.Conn, view.Remote = admin.SessionID(n.cfg.Node.Name, s.Conn), n.cfg.Node.Name, s.Conn, s.Remote
		view.Role, view.App, view.Stream, view.Since = string(cmp.Or(s.Role, event.RoleViewer)), s.App, s.Stream, began.UTC()
		all = append(all, client{conn: s.Conn, over: view, end: end})
	}
	for _, v := range n.play.HTTPViewers() {
		add(v.Session, v.Began, admin.Session{Protocol: "http-flv", How: session.Served, BytesOut: v.Sent}, func() { n.play.KickHTTP(v.Conn) })
	}
	if n.web == nil {
		return all
	}
	for _, s := range n.web.Sessions() {
		view := admin.Session{Protocol: "http-flv", How: "passed", Backend: s.Server, BytesIn: s.In, BytesOut: s.Out}
		if s.Upgraded {
			view.Protocol = "websocket"
		}
		add(s.Session, s.Began, view, func() { n.web.Kick(s.Conn) })
	}
	return all
}

// kick ends what a connection publishes and plays, in the background: its client may not read. It
// returns how many.
func (n *node) kick(conn uint64) int {
	all := slices.DeleteFunc(n.clients(conn, 1), func(c client) bool { return c.conn != conn })
	for _, c := range all {
		if c.held == nil {
			c.end()
		} else {
			go c.held.End(event.Kicked)
		}
	}
	return len(all)
}

// sessionMark is where a page ends: the connection, and how many of its publishes and plays
// have been told.
type sessionMark struct {
	Conn uint64 `json:"conn"`
	Told int    `json:"told"`
}

type sessionPage struct {
	Sessions []admin.Session `json:"sessions"`
	Next     *sessionMark    `json:"next,omitempty"` // nil: that is all
}

// sessionPage is one page of this node's sessions.
func (n *node) sessionPage(after string) (string, error) {
	var from sessionMark
	if after != "" {
		if err := json.Unmarshal([]byte(after), &from); err != nil {
			return "", fmt.Errorf("page of sessions: %w", err)
		}
	}
	var page sessionPage
	var at, last sessionMark
	size := 0
	for _, c := range n.clients(from.Conn, sessionPageBytes/sessionLeast) {
		if c.conn != at.Conn {
			at = sessionMark{Conn: c.conn}
		}
		at.Told++
		if c.conn < from.Conn || c.conn == from.Conn && at.Told <= from.Told {
			continue
		}
		s := c.over
		if c.held != nil {
			s = n.sessionView(*c.held)
		}
		b, err := json.Marshal(s)
		if err != nil {
			return "", err
		}
		if size += len(b); size > sessionPageBytes && len(page.Sessions) > 0 {
			page.Next = &last
			break
		}
		page.Sessions, last = append(page.Sessions, s), at
	}
	b, err := json.Marshal(page)
	return string(b), err
}

func (n *node) sessionView(h session.Held) admin.Session {
	in, out := h.Bytes()
	how, server := h.Through()
	return admin.Session{ID: admin.SessionID(n.cfg.Node.Name, h.Conn), Node: n.cfg.Node.Name, Conn: h.Conn, Remote: h.Remote, Protocol: "rtmp", Role: string(h.Role),
		App: h.Name.App, Stream: h.Name.Stream, Since: h.Began().UTC(), BytesIn: in, BytesOut: out, How: how, Backend: server}
}

// Sessions implements admin.Sessions.
func (v *adminView) Sessions(ctx context.Context, name string) (all []admin.Session, missed []string, err error) {
	n := (*node)(v)
	ctx, cancel := context.WithTimeout(ctx, sessionsTimeout)
	defer cancel()
	if name != "" {
		if _, ok := n.cluster.Node(name); !ok && name != n.cfg.Node.Name {
			return nil, nil, &admin.NoNodeError{Name: name}
		}
		all, err := n.sessionsOf(ctx, name)
		return all, nil, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range n.cluster.Nodes() {
		if m.Name != n.cfg.Node.Name && m.Addresses.RTMP == "" {
			continue // it takes no sessions
		}
		wg.Go(func() {
			list, err := n.sessionsOf(ctx, m.Name)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				missed = append(missed, m.Name)
				return
			}
			all = append(all, list...)
		})
	}
	wg.Wait()
	return all, missed, nil
}

// sessionsOf asks a node, page by page.
func (n *node) sessionsOf(ctx context.Context, name string) (all []admin.Session, err error) {
	for after := ""; ; {
		text, err := n.askNode(ctx, name, querySession, after)
		if err != nil {
			return nil, err
		}
		var page sessionPage
		if err := json.NewDecoder(strings.NewReader(text)).Decode(&page); err != nil {
			return nil, fmt.Errorf("sessions of %s: %w", name, err)
		}
		all = append(all, page.Sessions...)
		if page.Next == nil || len(page.Sessions) == 0 {
			return all, nil
		}
		b, err := json.Marshal(page.Next)
		if err != nil {
			return nil, err
		}
		after = string(b)
	}
}

// Kick implements admin.Sessions.
func (v *adminView) Kick(ctx context.Context, name string, conn uint64) (id string, err error) {
	n := (*node)(v)
	name = cmp.Or(name, n.cfg.Node.Name)
	id = admin.SessionID(name, conn)
	ended, err := n.askNode(ctx, name, queryKick, fmt.Sprint(conn))
	if err == nil && ended == "0" {
		err = &admin.NoSessionError{ID: id}
	}
	return id, err
}
