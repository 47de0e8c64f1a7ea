package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"weir/internal/stream"
)

// Route is where a session would be placed now. Nothing is reserved by asking.
type Route struct {
	App    string `json:"app"`
	Name   string `json:"name"`
	Action string `json:"action"` // publish or play
	Node   string `json:"node"`   // empty: no server can take it
	Reason string `json:"reason"` // in words
	// Rejected are the others, each with why.
	Rejected []NotChosen `json:"rejected"`
}

// NotChosen is a server that a session would not go to.
type NotChosen struct {
	Node   string  `json:"node"`
	Reason string  `json:"reason"`
	Share  float64 `json:"share"` // of its capacity, with the session; 0 if it could not take it
}

// route answers GET /api/v1/route?app=&name=&action=publish|play.
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
	route := h.Fleet.Route(name, action == "publish")
	route.App, route.Name, route.Action, route.Rejected = name.App, name.Stream, action, filled(route.Rejected)
	write(w, http.StatusOK, route)
}

// Route returns GET /api/v1/route, decoded and as it came.
func (c Client) Route(ctx context.Context, name stream.Name, action string) (Route, json.RawMessage, error) {
	var route Route
	raw, err := c.ask(ctx, http.MethodGet, "/api/v1/route", url.Values{"app": {name.App}, "name": {name.Stream}, "action": {action}}, &route)
	return route, raw, err
}
