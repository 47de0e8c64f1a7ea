package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sessions is what this listener asks about the sessions of the cluster's nodes.
type Sessions interface {
	// Sessions returns those of a node, or of all nodes if node is "", in any order. Missed are
	// nodes that did not answer. It fails with a *NoNodeError.
	Sessions(ctx context.Context, node string) (list []Session, missed []string, err error)
	// Kick ends a connection of a node, "" being the one that is asked. It fails with a
	// *NoNodeError, a *NoSessionError, or with why the node did not take the order.
	Kick(ctx context.Context, node string, conn uint64) (id string, err error)
}

// NoNodeError: there is no node of that name.
type NoNodeError struct{ Name string }

func (e *NoNodeError) Error() string { return "no node " + shorten(e.Name) }

// NoSessionError: there is no such session, or not any more.
type NoSessionError struct{ ID string }

func (e *NoSessionError) Error() string { return "no session " + shorten(e.ID) }

// Session is one client's publish or play, at the node that the client is connected to. A client that has
// several on one connection has several of one ID.
type Session struct {
	ID       string    `json:"id"` // NODE/CONN
	Node     string    `json:"node"`
	Conn     uint64    `json:"conn"` // as in the node's log
	Remote   string    `json:"remote"`
	Protocol string    `json:"protocol"` // rtmp, http-flv, websocket (any upgraded connection)
	Role     string    `json:"role"`     // publisher, viewer
	App      string    `json:"app"`
	Stream   string    `json:"stream"`
	Since    time.Time `json:"since"`             // of the connection
	BytesIn  int64     `json:"bytes_in"`          // from the client, on the connection
	BytesOut int64     `json:"bytes_out"`         // to the client, on the connection
	How      string    `json:"how,omitempty"`     // carried, spliced, served, passed (HTTP); "" while a play waits
	Backend  string    `json:"backend,omitempty"` // the server behind, a node or not
}

// SessionID is NODE/CONN.
func SessionID(node string, conn uint64) string { return node + "/" + strconv.FormatUint(conn, 10) }

// ParseSessionID takes one apart; a number alone is of the node that is asked.
func ParseSessionID(id string) (node string, conn uint64, err error) {
	number := id
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		if node, number = id[:i], id[i+1:]; node == "" {
			return "", 0, fmt.Errorf("%q is no session: write NODE/NUMBER", shorten(id))
		}
	}
	if conn, err = strconv.ParseUint(number, 10, 64); err != nil {
		return "", 0, fmt.Errorf("%q is no session: write NODE/NUMBER", shorten(id))
	}
	return node, conn, nil
}

// SessionList is the answer to GET /api/v1/sessions.
type SessionList struct {
	Sessions []Session `json:"sessions"`
	// Missed are nodes that did not answer.
	Missed []string `json:"missed,omitempty"`
}

// Kicked is the answer to DELETE /api/v1/sessions/{id}.
type Kicked struct {
	Session string `json:"session"`
}

// sessions answers GET /api/v1/sessions; ?node=NAME are those of one node.
func (h handler) sessions(w http.ResponseWriter, r *http.Request) {
	var answer SessionList
	if h.Sessions != nil {
		list, missed, err := h.Sessions.Sessions(r.Context(), r.FormValue("node"))
		if err != nil {
			sessionProblem(w, err)
			return
		}
		answer.Sessions, answer.Missed = slices.Clone(list), slices.Sorted(slices.Values(missed))
	}
	answer.Sessions = filled(answer.Sessions)
	slices.SortStableFunc(answer.Sessions, func(a, b Session) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Conn, b.Conn))
	})
	write(w, http.StatusOK, answer)
}

// kick answers DELETE /api/v1/sessions/{id} when the session has been told to end.
func (h handler) kick(w http.ResponseWriter, r *http.Request) {
	node, conn, err := ParseSessionID(r.PathValue("id"))
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	id, err := "", error(&NoSessionError{r.PathValue("id")})
	if h.Sessions != nil {
		id, err = h.Sessions.Kick(r.Context(), node, conn)
	}
	if err != nil {
		sessionProblem(w, err)
		return
	}
	write(w, http.StatusAccepted, Kicked{id})
}

func sessionProblem(w http.ResponseWriter, err error) {
	var node *NoNodeError
	var session *NoSessionError
	if errors.As(err, &node) || errors.As(err, &session) {
		problem(w, http.StatusNotFound, err.Error())
		return
	}
	problem(w, http.StatusBadGateway, err.Error())
}

// Sessions returns GET /api/v1/sessions, decoded and as it came; node "" is all nodes.
func (c Client) Sessions(ctx context.Context, node string) (SessionList, json.RawMessage, error) {
	var answer SessionList
	query := url.Values{}
	if node != "" {
		query.Set("node", node)
	}
	raw, err := c.ask(ctx, http.MethodGet, "/api/v1/sessions", query, &answer)
	return answer, raw, err
}

// Kick ends a session, NODE/NUMBER or a number of the node that is asked.
func (c Client) Kick(ctx context.Context, id string) (Kicked, error) {
	node, conn, err := ParseSessionID(id)
	if err != nil {
		return Kicked{}, err
	}
	path := strconv.FormatUint(conn, 10)
	if node != "" {
		path = url.PathEscape(node) + "/" + path
	}
	var done Kicked
	_, err = c.ask(ctx, http.MethodDelete, "/api/v1/sessions/"+path, nil, &done)
	return done, err
}
