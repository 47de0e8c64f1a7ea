package node

import (
	"context"
	"time"

	"weir/internal/ops/admin"
)

// adminView is the node as its admin listener sees it.
type adminView node

// Nodes implements admin.Fleet.
func (v *adminView) Nodes(ctx context.Context) ([]admin.Node, error) {
	var out []admin.Node
	for _, m := range (*node)(v).members(ctx) {
		out = append(out, admin.Node{
			Name: m.Name, Roles: m.Roles, State: string(m.State), Zone: m.Zone, Version: m.Version, Self: m.Name == v.cfg.Node.Name,
			Addresses: admin.Addresses{RTMP: m.Addresses.RTMP, HTTP: m.Addresses.HTTP, Admin: m.Addresses.Admin, Public: m.Addresses.Public},
			Capacity:  admin.Capacity{Egress: m.Capacity.EgressBPS, Sessions: m.Capacity.Sessions},
			Load: admin.Load{Publishers: m.Load.Publishers, Viewers: m.Load.Viewers, Sessions: m.Load.Sessions, Pulls: m.Load.Pulls,
				Egress: m.Load.EgressBPS, Ingress: m.Load.IngressBPS, CPU: m.Load.CPU},
		})
	}
	return out, nil
}

// Streams implements admin.Fleet. It asks the nodes that have viewers.
func (v *adminView) Streams(ctx context.Context) ([]admin.Stream, error) {
	audience := (*node)(v).audience(ctx)
	var out []admin.Stream
	for _, r := range v.cluster.Streams() {
		s := admin.Stream{App: r.Name.App, Name: r.Name.Stream, Owner: r.Owner, Backend: r.Facts.Backend, Epoch: r.Epoch, Since: r.Since,
			Edges: v.cluster.Pulls(r.Name), Viewers: audience[r.Name], Bitrate: int64(r.Facts.BitrateBPS),
			Publisher: &admin.Publisher{Remote: r.Facts.Publisher, Encoder: r.Facts.Encoder}}
		for _, t := range r.Facts.Tracks {
			s.Tracks = append(s.Tracks, admin.Track{Kind: t.Kind, Codec: t.Codec, Width: t.Width, Height: t.Height, Rate: t.Rate, Channels: t.Channels})
		}
		out = append(out, s)
	}
	return out, nil
}

// StoreAway implements admin.Fleet.
func (v *adminView) StoreAway() time.Time { return v.cluster.AwaySince().UTC() }

// Drain implements admin.Fleet.
func (v *adminView) Drain(ctx context.Context, name string, window time.Duration) error {
	return v.tell(ctx, name, queryDrain, window.String())
}

// Undrain implements admin.Fleet.
func (v *adminView) Undrain(ctx context.Context, name string) error {
	return v.tell(ctx, name, queryUndrain, "")
}

// tell gives an order to a node, be it this one.
func (v *adminView) tell(ctx context.Context, name, order, arg string) error {
	_, err := (*node)(v).askNode(ctx, name, order, arg)
	return err
}
