package node

import (
	"context"
	"encoding/json"
	"sync"

	"weir/internal/control/cluster"
)

// word is what a node says of itself. It needs no store, and is newer than what the store has.
type word struct {
	Name  string        `json:"name"` // its address may be another's by now
	State cluster.State `json:"state"`
	Load  cluster.Load  `json:"load"`
}

func (n *node) ownWord() word {
	return word{Name: n.cfg.Node.Name, State: n.cluster.Self().State, Load: n.cluster.Load()}
}

// members are the nodes as the view has them, and this one as it is. While the store is away the view stands
// still: then the others are asked, too. Of who does not answer in time it is what the store said last.
func (n *node) members(ctx context.Context) []cluster.Node {
	all := n.cluster.Nodes()
	away := !n.cluster.Available()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for i := range all {
		switch m := &all[i]; {
		case m.Name == n.cfg.Node.Name:
			own := n.ownWord()
			m.State, m.Load = own.State, own.Load
		case away && m.Addresses.RTMP != "":
			wg.Go(func() {
				text, err := n.peers.Query(ctx, m.Addresses.RTMP, queryWord, "")
				var said word
				if err == nil && json.Unmarshal([]byte(text), &said) == nil && said.Name == m.Name {
					m.State, m.Load = said.State, said.Load
				}
			})
		}
	}
	wg.Wait()
	return all
}
