package cluster

import "weir/internal/stream"

// EventKind names what happened; it is the word in logs and the label in metrics.
type EventKind string

const (
	EventStoreLost     EventKind = "store_lost"        // answers now come from memory (Err)
	EventStoreBack     EventKind = "store_back"        //
	EventJoined        EventKind = "node_joined"       // this node is registered
	EventLeaseLost     EventKind = "lease_lost"        // this node's records may have vanished
	EventNameTaken     EventKind = "name_taken"        // another process uses this node's name
	EventIncarnation   EventKind = "store_reborn"      // the store was wiped or restored; Epoch.Incarnation is the new one
	EventResync        EventKind = "view_resync"       // the watch had to begin again (Err)
	EventClaimed       EventKind = "stream_claimed"    // Name, Epoch
	EventUnconfirmed   EventKind = "claim_unconfirmed" // claimed without the store (Name)
	EventReclaimed     EventKind = "stream_reclaimed"  // settled or claimed again: Name, Epoch
	EventRefused       EventKind = "claim_refused"     // Name, Node (owner), Epoch
	EventLost          EventKind = "ownership_lost"    // Name, Node (new owner), Epoch
	EventReleased      EventKind = "stream_released"   // Name, Epoch
	EventOrphanRemoved EventKind = "orphan_removed"    // a record of this node that it does not hold
	EventNodeUp        EventKind = "node_up"           // Node appeared in the view
	EventNodeGone      EventKind = "node_gone"         // Node left the view
)

// Event is one thing that happened, emitted once.
type Event struct {
	Kind  EventKind
	Name  stream.Name
	Node  string
	Epoch stream.Epoch
	Err   error
}
