package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"weir/internal/control/store"
)

// Life is what is known of a process that is registered under some name.
type Life int

const (
	Unknown Life = iota // it does not answer, and nothing says that it has ended
	Ended               // nobody is at its address, or somebody else
	Lives               // it has answered
)

// NameTakenError refuses a start: another process has this node's name, and lives.
type NameTakenError struct {
	Holder NodeRecord
	Sign   string // of life
}

func (e *NameTakenError) Error() string {
	return fmt.Sprintf("another process runs as node %q: it %s (%s, since %s): give this node a name of its own (node.name, --name), or end the other one first",
		e.Holder.Name, e.Sign, e.Holder.where(), time.UnixMilli(e.Holder.Started).UTC().Format(time.RFC3339))
}

// Unwrap makes it an [ErrNameTaken].
func (e *NameTakenError) Unwrap() error { return ErrNameTaken }

func (n *NodeRecord) where() string {
	if n.Addresses.RTMP == "" {
		return "process " + n.Process
	}
	return "process " + n.Process + " at " + n.Addresses.RTMP
}

// vacate decides whether this process may have its name although another one is registered
// under it: a predecessor that has crashed leaves its record behind until its lease runs out.
// The process itself is asked, at its address. If there is no saying, it lives if it writes
// its load, as every node does at least every loadRefresh, before its record runs out.
func (c *Cluster) vacate(ctx context.Context, holder NodeRecord, lease store.LeaseID) error {
	asked := make(chan Life, 1)
	ctx, cancel := context.WithTimeout(ctx, heartbeatWindow)
	defer cancel()
	if c.o.Ask != nil {
		go func() { asked <- c.o.Ask(ctx, holder) }()
	}
	tick := time.NewTicker(heartbeatPoll)
	defer tick.Stop()
	load := int64(-1) // not looked yet
	for {
		rev, there, err := c.heartbeat(ctx, holder, lease)
		switch {
		case err == nil && !there:
			return nil
		case err == nil && load >= 0 && rev > load:
			return &NameTakenError{Holder: holder, Sign: "reports its load to the store"}
		case err == nil:
			load = max(load, rev)
		case ctx.Err() == nil:
			return err
		}
		select {
		case life := <-asked:
			switch life {
			case Ended:
				return nil
			case Lives:
				return &NameTakenError{Holder: holder, Sign: "answers"}
			}
		case <-tick.C:
		case <-ctx.Done():
			if c.ctx.Err() != nil {
				return ErrClosed
			}
			return nil
		}
	}
}

// heartbeat is the revision of the holder's last load, and whether its record is still there.
func (c *Cluster) heartbeat(ctx context.Context, holder NodeRecord, lease store.LeaseID) (rev int64, there bool, err error) {
	kv, err := c.o.Store.Get(ctx, c.keys.node(holder.Name))
	if errors.Is(err, store.ErrNotFound) {
		return 0, false, nil
	}
	var now NodeRecord
	if err == nil && json.Unmarshal(kv.Value, &now) == nil && now.Process != holder.Process {
		return 0, false, nil // a third one: putNode looks again
	}
	if err == nil {
		kv, err = c.o.Store.Get(ctx, c.keys.load(holder.Name))
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && kv.Lease != lease {
		return 0, true, nil // it has not reported yet
	}
	return kv.Rev, true, err
}
