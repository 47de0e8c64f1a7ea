package node

import (
	"context"
	"encoding/json"
	"sync"

	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// backendLeft is what a front has at a backend, as fronts tell each other.
type backendLeft struct {
	Publishers int64 `json:"publishers"`
	Viewers    int64 `json:"viewers"`
	Opening    int   `json:"opening"`
}

func (l *backendLeft) any() bool { return l.Publishers+l.Viewers > 0 || l.Opening > 0 }

// leftAt is what this front has at a backend. First those on the way: they count among the others before they
// are on the way no more.
func (n *node) leftAt(name string) (string, error) {
	l := backendLeft{Opening: n.placer.f.Opening(name)}
	c := n.backends.Counters(name)
	l.Publishers, l.Viewers = c.Publishers.Load(), c.Viewers.Load()
	b, err := json.Marshal(l)
	return string(b), err
}

// Left implements admin.Backends.
func (v *adminView) Left(ctx context.Context, name string) (sum admin.Left) {
	n := (*node)(v)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range n.cluster.Nodes() {
		if self := m.Name == n.cfg.Node.Name; !self && (m.Addresses.RTMP == "" || !m.HasRole(string(config.RoleFront))) {
			continue
		}
		wg.Go(func() {
			var l backendLeft
			text, err := n.askNode(ctx, m.Name, queryLeft, name)
			if err == nil {
				err = json.Unmarshal([]byte(text), &l)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				sum.Missed = append(sum.Missed, m.Name)
				return
			}
			sum.Publishers, sum.Viewers, sum.Opening = sum.Publishers+l.Publishers, sum.Viewers+l.Viewers, sum.Opening+l.Opening
			if l.any() {
				sum.Fronts = append(sum.Fronts, m.Name)
			}
		})
	}
	wg.Wait()
	sum.Empty = len(sum.Fronts)+len(sum.Missed) == 0
	return sum
}
