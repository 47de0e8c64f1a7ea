package node

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"weir/internal/control/fleet"
	"weir/internal/control/orders"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// What a front answers to an order.
const (
	orderTaken   = "taken"
	orderUnknown = "unknown" // it has no such backend
)

// Order implements admin.Backends.
func (v *adminView) Order(ctx context.Context, name, order string) ([]string, error) {
	return (*node)(v).orderBackend(ctx, &orders.Order{Name: name, Operator: fleet.Operator(order)})
}

// SetWeight implements admin.Backends.
func (v *adminView) SetWeight(ctx context.Context, name string, weight float64) ([]string, error) {
	return (*node)(v).orderBackend(ctx, &orders.Order{Name: name, Weight: &weight})
}

// orderBackend gives an order to all fronts, this one first, and returns those that did not answer. Fronts learn of
// backends by themselves, so some may not have it.
func (n *node) orderBackend(ctx context.Context, o *orders.Order) (missed []string, err error) {
	taken, err := n.orders.Take(o)
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
	if err := n.orders.Write(ctx, o); err != nil {
		n.log.Warn("an order to a backend is not in the store: until it is back it holds as long as its fronts run", "on", o.Name, "err", err)
	}
	return missed, nil
}

// answerOrder carries out an order that another front was given.
func (n *node) answerOrder(text string) (string, error) {
	var o orders.Order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return "", fmt.Errorf("order: %w", err)
	}
	taken, err := n.orders.Take(&o)
	if err != nil {
		return "", err
	}
	if !taken {
		return orderUnknown, nil
	}
	return orderTaken, nil
}
