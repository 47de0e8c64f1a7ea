package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"

	"weir/internal/stream"
)

// Route is where a session would be placed now. Nothing is reserved by asking.
type Route struct {
	App    string `json:"app"`
	Name   string `json:"name"`
	Action string `json:"action"` // publish or play
	// Source and Zone are as asked for.
	Source string `json:"source,omitempty"`
	Zone   string `json:"zone,omitempty"`
	Node   string `json:"node"`   // empty: no server can take it
	Reason string `json:"reason"` // in words
	// Rejected are the others, each with why.
	Rejected []NotChosen `json:"rejected"`
}

// RouteQuery is a session to be placed.
type RouteQuery struct {
	Name    stream.Name
	Publish bool
	Source  netip.Addr // the client's address; zero: whoever never came before
	Zone    string     // of the front that it comes to; "": the answering node's own
}

// NotChosen is a server that a session would not go to.
type NotChosen struct {
	Node   string  `json:"node"`
	Reason string  `json:"reason"`
	Share  float64 `json:"share"` // of its capacity, with the session; 0 if it could not take it
}

// route answers GET /api/v1/route?app=&name=&action=publish|play&source=&zone=.
func (h handler) route(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name, err := stream.NewName(q.Get("app"), q.Get("name"))
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	action := q.Get("action")
	if action != "publish" && action != "play" {
		problem(w, http.StatusBadRequest, "action must be publish or play")
		return
	}
	asked := RouteQuery{Name: name, Publish: action == "publish", Zone: q.Get("zone")}
	if from := q.Get("source"); from != "" {
		if asked.Source, err = netip.ParseAddr(from); err != nil {
			problem(w, http.StatusBadRequest, "source must be an address without a port")
			return
		}
	}
	route := h.Fleet.Route(asked)
	route.App, route.Name, route.Action, route.Rejected = name.App, name.Stream, action, filled(route.Rejected)
	route.Source, route.Zone = q.Get("source"), asked.Zone
	write(w, http.StatusOK, route)
}

// Route returns GET /api/v1/route, decoded and as it came.
func (c Client) Route(ctx context.Context, q RouteQuery) (Route, json.RawMessage, error) {
	v := url.Values{"app": {q.Name.App}, "name": {q.Name.Stream}, "action": {"play"}}
	if q.Publish {
		v.Set("action", "publish")
	}
	if q.Source.IsValid() {
		v.Set("source", q.Source.String())
	}
	if q.Zone != "" {
		v.Set("zone", q.Zone)
	}
	var route Route
	raw, err := c.ask(ctx, http.MethodGet, "/api/v1/route", v, &route)
	return route, raw, err
}
