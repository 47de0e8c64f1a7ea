package admin

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// health: the process runs and answers. Nothing else is looked at, because an
// orchestrator answers a failure by a restart, which helps nothing here.
func (h handler) health(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, struct {
		OK bool `json:"ok"`
	}{true})
}

// ready: 200, or 503 with the reasons. A problem that keeps no session away is told with 200.
func (h handler) ready(w http.ResponseWriter, _ *http.Request) {
	answer := struct {
		Ready    bool      `json:"ready"`
		Problems []Problem `json:"problems"`
	}{}
	answer.Ready, answer.Problems = h.Fleet.Ready()
	answer.Problems = filled(answer.Problems)
	status := http.StatusServiceUnavailable
	if answer.Ready {
		status = http.StatusOK
	}
	write(w, status, answer)
}

func (h handler) nodes(w http.ResponseWriter, r *http.Request) {
	nodes, err := h.allNodes(r)
	if err != nil {
		unavailable(w, err)
		return
	}
	write(w, http.StatusOK, struct {
		Nodes []Node `json:"nodes"`
		Age
	}{nodes, h.age()})
}

func (h handler) node(w http.ResponseWriter, r *http.Request) {
	nodes, err := h.allNodes(r)
	if err != nil {
		unavailable(w, err)
		return
	}
	i := slices.IndexFunc(nodes, func(n Node) bool { return n.Name == r.PathValue("name") })
	if i < 0 {
		problem(w, http.StatusNotFound, "no node "+shorten(r.PathValue("name")))
		return
	}
	write(w, http.StatusOK, struct {
		Node
		Age
	}{nodes[i], h.age()})
}

// DefaultDrainWindow is the time over which a drain spreads the release of a node's
// viewers. Why not shorter: they all come back elsewhere, each with a GOP to be
// sent. Why not longer: an operator watches.
const DefaultDrainWindow = 10 * time.Second

// drain begins a drain; ?window=30s spreads the viewers' release.
func (h handler) drain(w http.ResponseWriter, r *http.Request) {
	window := DefaultDrainWindow
	if text := r.FormValue("window"); text != "" {
		var err error
		if window, err = time.ParseDuration(text); err != nil || window < 0 {
			problem(w, http.StatusBadRequest, "window must be a duration like 30s")
			return
		}
	}
	h.order(w, r, func(name string) error { return h.Fleet.Drain(r.Context(), name, window) })
}

func (h handler) undrain(w http.ResponseWriter, r *http.Request) {
	h.order(w, r, func(name string) error { return h.Fleet.Undrain(r.Context(), name) })
}

// order gives an order to the node in the path, and answers when that has begun.
func (h handler) order(w http.ResponseWriter, r *http.Request, give func(name string) error) {
	name := r.PathValue("name")
	nodes, err := h.allNodes(r)
	if err != nil {
		unavailable(w, err)
		return
	}
	if !slices.ContainsFunc(nodes, func(n Node) bool { return n.Name == name }) {
		problem(w, http.StatusNotFound, "no node "+shorten(name))
		return
	}
	if err := give(name); err != nil {
		problem(w, http.StatusBadGateway, shorten(name)+" did not take the order: "+err.Error())
		return
	}
	write(w, http.StatusAccepted, struct {
		Node string `json:"node"`
	}{name})
}

func (h handler) streams(w http.ResponseWriter, r *http.Request) {
	streams, err := h.allStreams(r)
	if err != nil {
		unavailable(w, err)
		return
	}
	write(w, http.StatusOK, struct {
		Streams []Stream `json:"streams"`
		Age
	}{streams, h.age()})
}

// stream finds one by application and name. An application with a slash in it
// is written with %2F.
func (h handler) stream(w http.ResponseWriter, r *http.Request) {
	streams, err := h.allStreams(r)
	if err != nil {
		unavailable(w, err)
		return
	}
	app, name := r.PathValue("app"), r.PathValue("name")
	i := slices.IndexFunc(streams, func(s Stream) bool { return s.App == app && s.Name == name })
	if i < 0 {
		problem(w, http.StatusNotFound, "no stream "+shorten(app+"/"+name))
		return
	}
	write(w, http.StatusOK, struct {
		Stream
		Age
	}{streams[i], h.age()})
}

func (h handler) age() Age { return Age{h.Fleet.StoreAway()} }

func (h handler) allNodes(r *http.Request) ([]Node, error) {
	nodes, err := h.Fleet.Nodes(r.Context())
	nodes = filled(slices.Clone(nodes))
	slices.SortFunc(nodes, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	for i := range nodes {
		nodes[i].Roles = filled(nodes[i].Roles)
	}
	return nodes, err
}

func (h handler) allStreams(r *http.Request) ([]Stream, error) {
	streams, err := h.Fleet.Streams(r.Context())
	streams = filled(slices.Clone(streams))
	slices.SortFunc(streams, func(a, b Stream) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name))
	})
	for i := range streams {
		s := &streams[i]
		s.Edges, s.Tracks = filled(slices.Sorted(slices.Values(s.Edges))), filled(s.Tracks)
	}
	return streams, err
}

// filled makes an absent list an empty one: [] in JSON, not null.
func filled[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the client is gone: nobody is left to tell
}

// problem answers an error as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, detail})
}

func unavailable(w http.ResponseWriter, err error) {
	problem(w, http.StatusServiceUnavailable, err.Error())
}
