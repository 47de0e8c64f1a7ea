package cluster

import (
	"context"

	"weir/internal/stream"
)

// Cluster is one node's membership.
type Cluster struct{ o Options }

// New checks the options; nothing runs before Start.
func New(o Options) (*Cluster, error) { return &Cluster{o: o}, nil }

// Start joins the cluster.
func (c *Cluster) Start(ctx context.Context) error { return nil }

// Close leaves the cluster.
func (c *Cluster) Close() error { return nil }

func (c *Cluster) Self() NodeRecord                 { return c.o.Self }
func (c *Cluster) SetSelf(change func(*NodeRecord)) {}
func (c *Cluster) Secret() []byte                   { return c.o.Secret }
func (c *Cluster) Available() bool                  { return true }
func (c *Cluster) ReportLoad(l Load)                {}
func (c *Cluster) Nodes() []Node                    { return nil }
func (c *Cluster) Node(name string) (Node, bool)    { return Node{}, false }
func (c *Cluster) Streams() []StreamRecord          { return nil }
func (c *Cluster) Pulls(name stream.Name) []string  { return nil }
func (c *Cluster) PullStarted(name stream.Name)     {}
func (c *Cluster) PullEnded(name stream.Name)       {}

func (c *Cluster) Claim(ctx context.Context, name stream.Name, facts Facts) (*Ownership, error) {
	return nil, ErrClosed
}

func (c *Cluster) TakeOver(ctx context.Context, name stream.Name, facts Facts, from stream.Epoch) (*Ownership, error) {
	return nil, ErrClosed
}

func (c *Cluster) Owner(ctx context.Context, name stream.Name) (StreamRecord, bool, error) {
	return StreamRecord{}, false, ErrClosed
}

func (c *Cluster) WaitOwner(ctx context.Context, name stream.Name) (StreamRecord, error) {
	return StreamRecord{}, ErrClosed
}

func (c *Cluster) OwnerChanges(name stream.Name) *Subscription { return nil }

// Subscription delivers the latest change of one stream's owner on C.
type Subscription struct{ C <-chan OwnerChange }

func (s *Subscription) Close() {}

// Ownership is this node's hold on one stream.
type Ownership struct{}

func (o *Ownership) Name() stream.Name                          { return stream.Name{} }
func (o *Ownership) Epoch() stream.Epoch                        { return stream.Epoch{} }
func (o *Ownership) Confirmed() bool                            { return false }
func (o *Ownership) Changed() <-chan struct{}                   { return nil }
func (o *Ownership) Lost() <-chan struct{}                      { return nil }
func (o *Ownership) LostTo() (owner string, epoch stream.Epoch) { return "", stream.Epoch{} }
func (o *Ownership) Update(f Facts)                             {}
func (o *Ownership) Release(ctx context.Context) error          { return nil }
