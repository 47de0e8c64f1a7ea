package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// backendOrder answers POST /api/v1/backends/{name}/ready, drain and maint.
func (h handler) backendOrder(w http.ResponseWriter, r *http.Request) {
	order := r.PathValue("order")
	if order != "ready" && order != "drain" && order != "maint" {
		problem(w, http.StatusNotFound, "a backend can be ordered to be ready, drain or maint")
		return
	}
	h.backendChange(w, r, func(name string) ([]string, error) { return h.Backends.Order(r.Context(), name, order) })
}

// maxWeightBytes bounds the body of a weight.
const maxWeightBytes = 256

// backendWeight answers PUT /api/v1/backends/{name}/weight: {"weight": 2}, or ?weight=2; 0 is as configured.
func (h handler) backendWeight(w http.ResponseWriter, r *http.Request) {
	body := struct{ Weight *float64 }{}
	if text := r.URL.Query().Get("weight"); text != "" {
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			body.Weight = &x
		}
	} else if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxWeightBytes)).Decode(&body) != nil {
		body.Weight = nil
	}
	if body.Weight == nil {
		problem(w, http.StatusBadRequest, `send {"weight": NUMBER}; 0 is the configured one`)
		return
	}
	h.backendChange(w, r, func(name string) ([]string, error) { return h.Backends.SetWeight(r.Context(), name, *body.Weight) })
}

func (h handler) backendChange(w http.ResponseWriter, r *http.Request, give func(name string) ([]string, error)) {
	name := r.PathValue("name")
	var missed []string
	err := error(&NoBackendError{name})
	if h.Backends != nil {
		missed, err = give(name)
	}
	var none *NoBackendError
	switch {
	case errors.As(err, &none):
		problem(w, http.StatusNotFound, err.Error())
	case err != nil:
		problem(w, http.StatusBadRequest, err.Error())
	default:
		slices.Sort(missed)
		write(w, http.StatusOK, BackendChange{Backend: name, Missed: filled(missed)})
	}
}

// BackendChange is the answer to an order.
type BackendChange struct {
	Backend string `json:"backend"`
	// Missed are fronts that did not answer, and go on as before.
	Missed []string `json:"missed"`
}

// OrderBackend posts ready, drain or maint.
func (c Client) OrderBackend(ctx context.Context, name, order string) (BackendChange, error) {
	var done BackendChange
	_, err := c.ask(ctx, http.MethodPost, "/api/v1/backends/"+url.PathEscape(name)+"/"+order, nil, &done)
	return done, err
}

// WeighBackend puts a weight; 0 is the configured one.
func (c Client) WeighBackend(ctx context.Context, name string, weight float64) (BackendChange, error) {
	var done BackendChange
	_, err := c.ask(ctx, http.MethodPut, "/api/v1/backends/"+url.PathEscape(name)+"/weight", url.Values{"weight": {fmt.Sprint(weight)}}, &done)
	return done, err
}
