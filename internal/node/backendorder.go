package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"weir/internal/control/fleet"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// backendOrder is what an operator wants of a backend, as fronts tell each other.
type backendOrder struct {
	Name   string   `json:"name"`
	Order  string   `json:"order,omitempty"`  // ready, drain, maint
	Weight *float64 `json:"weight,omitempty"` // 0: the configured one
}

// What a front answers to an order.
const (
	orderTaken   = "taken"
	orderUnknown = "unknown" // it has no such backend
)

// Order implements admin.Backends.
func (v *fleetView) Order(ctx context.Context, name, order string) ([]string, error) {
	return (*node)(v).orderBackend(ctx, &backendOrder{Name: name, Order: order})
}

// SetWeight implements admin.Backends.
func (v *fleetView) SetWeight(ctx context.Context, name string, weight float64) ([]string, error) {
	return (*node)(v).orderBackend(ctx, &backendOrder{Name: name, Weight: &weight})
}

// orderBackend gives an order to all fronts, this one first, and returns those that did not answer. Fronts learn of
// backends by themselves, so some may not have it.
func (n *node) orderBackend(ctx context.Context, o *backendOrder) (missed []string, err error) {
	taken, err := n.takeOrder(o)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, other := range n.cluster.Nodes() {
		if other.Name == n.cfg.Node.Name || other.Addresses.RTMP == "" || !other.HasRole(string(config.RoleFront)) {
			continue
		}
		wg.Go(func() {
			said, err := n.peers.Query(asking, other.Addresses.RTMP, queryBackend, string(text))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				missed = append(missed, other.Name)
			case said == orderTaken:
				taken = true
			}
		})
	}
	wg.Wait()
	if !taken {
		return nil, &admin.NoBackendError{Name: o.Name}
	}
	// In a time of its own: a front that does not answer has taken all of the other.
	if err := n.orders.write(ctx, o); err != nil {
		n.log.Warn("an order to a backend is not in the store: until it is back it holds as long as its fronts run", "on", o.Name, "err", err)
	}
	return missed, nil
}

// takeOrder carries out an order at this node; not taken: there is no such backend here.
func (n *node) takeOrder(o *backendOrder) (taken bool, err error) {
	switch {
	case o.Weight != nil && *o.Weight == 0:
		err = n.backends.ResetWeight(o.Name)
	case o.Weight != nil:
		err = n.backends.SetWeight(o.Name, *o.Weight)
	case o.Order == string(fleet.Ready) || o.Order == string(fleet.Drain) || o.Order == string(fleet.Maint):
		err = n.backends.SetOperator(o.Name, fleet.Operator(o.Order))
	default:
		err = fmt.Errorf("unknown order %q", o.Order)
	}
	var none *fleet.UnknownError
	if errors.As(err, &none) {
		return false, nil
	}
	if err == nil {
		n.orders.hear(o)
	}
	return err == nil, err
}

// answerOrder is takeOrder for another front.
func (n *node) answerOrder(text string) (string, error) {
	var o backendOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return "", fmt.Errorf("order: %w", err)
	}
	taken, err := n.takeOrder(&o)
	if err != nil {
		return "", err
	}
	if !taken {
		return orderUnknown, nil
	}
	return orderTaken, nil
}
