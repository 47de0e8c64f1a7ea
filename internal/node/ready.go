package node

import (
	"errors"
	"sync"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/front/web"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// ready says why no publisher, or no viewer, can be taken now.
func (n *node) ready(publish bool) error {
	if n.draining() {
		return web.ErrNoServer
	}
	if !n.cfg.Node.Has(config.RoleFront) {
		return nil
	}
	_, err := n.placer.f.Route(fleet.Request{}, publish)
	return err
}

// readyFor is how long an answer stands. Why not longer: who asks takes this node out by it. Why
// not shorter: it looks at all servers, and anybody may ask.
const readyFor = 250 * time.Millisecond

// readiness keeps whether anything can be taken.
type readiness struct {
	mu  sync.Mutex
	at  time.Time
	why error // why neither a publisher nor a viewer can be
}

// unable says why neither a publisher nor a viewer can be taken; nil: one of them can.
func (n *node) unable() error {
	r := &n.readiness
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.at) >= readyFor {
		r.at = now
		if r.why = n.ready(true); r.why != nil {
			r.why = n.ready(false)
		}
	}
	return r.why
}

// displaced says that this node is not in the cluster under its name.
func (n *node) displaced() *admin.Problem {
	if !n.cluster.Displaced() {
		return nil
	}
	return &admin.Problem{Part: "name", Reason: "another process took this node's name: give each node its own, and start this one again"}
}

// Ready implements admin.Fleet.
func (v *adminView) Ready() (ready bool, problems []admin.Problem) {
	n := (*node)(v)
	if p := n.displaced(); p != nil {
		return false, []admin.Problem{*p}
	}
	if !n.cluster.Available() { // all nodes lose it at once: whoever goes by this would leave no address
		problems = append(problems, admin.Problem{Part: "store", Reason: "the store does not answer; streams go on, and new ones are taken"})
	}
	if n.draining() {
		return false, append(problems, admin.Problem{Part: "drain", Reason: "this node is being drained; running streams are handed over"})
	}
	if err := n.unable(); err != nil {
		reason := "no server can take a session"
		if none, ok := errors.AsType[*place.NoServerError](err); ok {
			reason += ": " + string(none.Cause())
		}
		return false, append(problems, admin.Problem{Part: "servers", Reason: reason})
	}
	return true, problems
}
