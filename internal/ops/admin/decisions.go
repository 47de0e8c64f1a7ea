package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Decision is a placement that was made, as long as it is remembered.
type Decision struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	App     string    `json:"app"`
	Name    string    `json:"name"`
	Action  string    `json:"action"` // publish or play
	Source  string    `json:"source,omitempty"`
	Node    string    `json:"node"`    // empty: nobody could take it
	Outcome string    `json:"outcome"` // pending, ok, failed (the server did not take it), refused (nobody could)
	Reason  string    `json:"reason"`  // in words
	Share   float64   `json:"share"`   // of the server's capacity, with the session
	// Excluded are the servers that had just failed.
	Excluded []string `json:"excluded"`
	// Rejected are those that came nearest, each with why; Others counts the rest by reason.
	Rejected []NotChosen `json:"rejected"`
	Others   []Tally     `json:"others"`
	// Brief: there were too many decisions at that moment to note why not the others.
	Brief bool `json:"brief,omitempty"`
}

// Tally is how many servers were not chosen for one reason.
type Tally struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// DecisionQuery chooses past decisions; zero fields choose all.
type DecisionQuery struct {
	App, Name, Action, Node, Outcome string
	Before                           uint64 // Seq below it
	Limit                            int
}

// Historian is a [Fleet] that remembers its decisions.
type Historian interface {
	// Decisions returns past decisions of the node that answers, the newest first.
	Decisions(DecisionQuery) []Decision
}

const (
	defaultDecisions = 50
	maxDecisions     = 1000
)

// decisions answers GET /api/v1/route/decisions?app=&name=&action=&node=&outcome=&before=&limit=.
func (h handler) decisions(w http.ResponseWriter, r *http.Request) {
	past, ok := h.Fleet.(Historian)
	if !ok {
		problem(w, http.StatusNotFound, "this node decides nothing")
		return
	}
	v := r.URL.Query()
	q := DecisionQuery{App: v.Get("app"), Name: v.Get("name"), Action: v.Get("action"), Node: v.Get("node"), Outcome: v.Get("outcome"), Limit: defaultDecisions}
	if q.Action != "" && q.Action != "publish" && q.Action != "play" {
		problem(w, http.StatusBadRequest, "action must be publish or play")
		return
	}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxDecisions {
			problem(w, http.StatusBadRequest, "limit must be a number from 1 to "+strconv.Itoa(maxDecisions))
			return
		}
		q.Limit = n
	}
	if text := v.Get("before"); text != "" {
		var err error
		if q.Before, err = strconv.ParseUint(text, 10, 64); err != nil {
			problem(w, http.StatusBadRequest, "before must be the seq of a decision")
			return
		}
	}
	list := filled(past.Decisions(q))
	for i := range list {
		d := &list[i]
		d.Excluded, d.Rejected, d.Others = filled(d.Excluded), filled(d.Rejected), filled(d.Others)
	}
	write(w, http.StatusOK, struct {
		Decisions []Decision `json:"decisions"`
	}{list})
}

// Decisions returns GET /api/v1/route/decisions, decoded and as it came.
func (c Client) Decisions(ctx context.Context, q DecisionQuery) ([]Decision, json.RawMessage, error) {
	v := url.Values{}
	for key, text := range map[string]string{"app": q.App, "name": q.Name, "action": q.Action, "node": q.Node, "outcome": q.Outcome} {
		if text != "" {
			v.Set(key, text)
		}
	}
	if q.Before > 0 {
		v.Set("before", strconv.FormatUint(q.Before, 10))
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	var answer struct{ Decisions []Decision }
	raw, err := c.ask(ctx, http.MethodGet, "/api/v1/route/decisions", v, &answer)
	return answer.Decisions, raw, err
}
