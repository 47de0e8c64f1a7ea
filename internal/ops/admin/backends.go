package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Backends is what this listener asks about the servers that are no nodes.
type Backends interface {
	// Backends returns all, in any order.
	Backends(ctx context.Context) ([]Backend, error)
	// Sources are where this node learns of backends, in the order of the configuration.
	Sources() []Source
	// Has returns the streams that a backend is known to have, as APP/NAME.
	Has(name string) []string
	// Left is what all fronts have at a backend, be it gone.
	Left(ctx context.Context, name string) Left
	// Order says what an operator wants of a backend: ready, drain or maint. SetWeight gives it a weight; 0 gives
	// it back the configured one. Both reach all fronts that answer and return the names of those that do not. They fail
	// with a *NoBackendError, or with what is wrong with the order.
	Order(ctx context.Context, name, order string) (missed []string, err error)
	SetWeight(ctx context.Context, name string, weight float64) (missed []string, err error)
}

// NoBackendError: there is no backend of that name.
type NoBackendError struct{ Name string }

func (e *NoBackendError) Error() string { return "no backend " + shorten(e.Name) }

// Backend is a server that is no node, as the front that answers sees it.
type Backend struct {
	Name      string    `json:"name"`
	Source    string    `json:"source"` // who named it: static, dns:NAME, file:PATH, …
	Kind      string    `json:"kind"`
	Roles     []string  `json:"roles"` // publish, play
	Addresses Addresses `json:"addresses"`
	Zone      string    `json:"zone,omitempty"`
	Shared    bool      `json:"shared,omitempty"`

	State    string   `json:"state"`    // up, drain, maint, down: what placement makes of it
	Operator string   `json:"operator"` // ready, drain, maint: what was ordered
	Health   Health   `json:"health"`
	Weight   float64  `json:"weight"`
	Set      bool     `json:"weight_set,omitempty"` // at run time, instead of the configured one
	Capacity Capacity `json:"capacity"`

	Load     BackendLoad     `json:"load"`
	Streams  int             `json:"streams"` // that it is known to have
	Sessions BackendSessions `json:"sessions"`

	// Only of one backend:
	Has  []string `json:"has,omitempty"` // APP/NAME
	Left *Left    `json:"left,omitempty"`
}

// Left is what all fronts together have at a backend: what keeps it from being empty.
type Left struct {
	Empty      bool     `json:"empty"` // nothing is left, and every front has said so
	Publishers int64    `json:"publishers"`
	Viewers    int64    `json:"viewers"` // and requests over HTTP
	Opening    int      `json:"opening"` // on the way there
	Fronts     []string `json:"fronts"`  // that have some
	Missed     []string `json:"missed"`  // that did not answer
}

// Source is where backends are learned of.
type Source struct {
	Name     string    `json:"name"`              // static, dns:NAME, file:PATH, …
	Servers  int       `json:"servers"`           // of the list in use
	Updated  time.Time `json:"updated,omitzero"`  // its last good answer
	Failures int64     `json:"failures"`          // since the start
	Failing  string    `json:"failing,omitempty"` // why its newest answer is not in use
}

// Health is what the checks of a backend say.
type Health struct {
	State  string    `json:"state"`           // up, down, unknown
	Check  string    `json:"check,omitempty"` // rtmp, tcp, http, none
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Status string    `json:"status,omitempty"` // of the last check, in HAProxy's words
	Code   int       `json:"code,omitempty"`
	Took   float64   `json:"took"` // seconds

	Rise int `json:"rise,omitempty"`
	Fall int `json:"fall,omitempty"`
}

// BackendLoad is what a backend carries.
type BackendLoad struct {
	From       string    `json:"from"` // nginx, srs, mediamtx; none: what this node counts
	Publishers int       `json:"publishers"`
	Sessions   int       `json:"sessions"`
	Egress     float64   `json:"egress"`  // bits per second
	Ingress    float64   `json:"ingress"` // bits per second
	CPU        float64   `json:"cpu"`
	Seen       time.Time `json:"seen,omitzero"`     // the report in use
	Problem    string    `json:"problem,omitempty"` // why the newest report was refused
}

// Own reports whether it is what the node that answers counts itself, for want of a report.
func (l *BackendLoad) Own() bool { return l.From == "" || l.From == "none" }

// BackendSessions are those of the node that answers.
type BackendSessions struct {
	Publishers int64 `json:"publishers"`
	Viewers    int64 `json:"viewers"`
	Most       int64 `json:"most"`
	Total      int64 `json:"total"`
	Failures   int64 `json:"failures"`
	Moved      int64 `json:"moved"`
	Received   int64 `json:"received"` // bytes, by the backend
	Sent       int64 `json:"sent"`     // bytes, by the backend
}

func (h handler) backends(w http.ResponseWriter, r *http.Request) {
	list, err := h.allBackends(r.Context())
	if err != nil {
		unavailable(w, err)
		return
	}
	answer := BackendList{Backends: list}
	if h.Backends != nil {
		answer.Sources = h.Backends.Sources()
	}
	write(w, http.StatusOK, answer)
}

func (h handler) backend(w http.ResponseWriter, r *http.Request) {
	list, err := h.allBackends(r.Context())
	if err != nil {
		unavailable(w, err)
		return
	}
	name := r.PathValue("name")
	i := slices.IndexFunc(list, func(b Backend) bool { return b.Name == name })
	if i < 0 {
		problem(w, http.StatusNotFound, (&NoBackendError{name}).Error())
		return
	}
	list[i].Has = h.Backends.Has(name)
	left := h.Backends.Left(r.Context(), name)
	left.Fronts, left.Missed = filled(slices.Sorted(slices.Values(left.Fronts))), filled(slices.Sorted(slices.Values(left.Missed)))
	list[i].Left = &left
	write(w, http.StatusOK, list[i])
}

func (h handler) allBackends(ctx context.Context) ([]Backend, error) {
	if h.Backends == nil {
		return []Backend{}, nil
	}
	list, err := h.Backends.Backends(ctx)
	list = filled(slices.Clone(list))
	slices.SortFunc(list, func(a, b Backend) int { return cmp.Compare(a.Name, b.Name) })
	for i := range list {
		list[i].Roles = filled(list[i].Roles)
	}
	return list, err
}

// BackendList is the answer to GET /api/v1/backends.
type BackendList struct {
	Backends []Backend `json:"backends"`
	Sources  []Source  `json:"sources,omitempty"`
}

// Backends returns GET /api/v1/backends, decoded and as it came.
func (c Client) Backends(ctx context.Context) (BackendList, json.RawMessage, error) {
	var answer BackendList
	raw, err := c.get(ctx, "/api/v1/backends", &answer)
	return answer, raw, err
}

// Backend returns GET /api/v1/backends/{name}.
func (c Client) Backend(ctx context.Context, name string) (Backend, error) {
	var b Backend
	_, err := c.get(ctx, "/api/v1/backends/"+url.PathEscape(name), &b)
	return b, err
}
