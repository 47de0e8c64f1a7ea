package store

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Grant implements [Store]. etcd counts leases in whole seconds; parts round up.
func (s *Etcd) Grant(ctx context.Context, ttl time.Duration) (LeaseID, error) {
	c, cancel := s.bound(ctx)
	defer cancel()
	r, err := s.client.Grant(c, int64((ttl+time.Second-1)/time.Second))
	if err != nil {
		return 0, s.fail(ctx, "grant", err)
	}
	return LeaseID(r.ID), nil
}

// Revoke implements [Store].
func (s *Etcd) Revoke(ctx context.Context, lease LeaseID) error {
	c, cancel := s.bound(ctx)
	defer cancel()
	if _, err := s.client.Revoke(c, clientv3.LeaseID(lease)); err != nil {
		if err = s.fail(ctx, "revoke", err); !errors.Is(err, ErrLeaseGone) {
			return err
		}
	}
	return nil
}

// KeepAlive implements [Store]. The client library renews every third of the
// lease's length, and gives up when a whole length has passed without an answer.
func (s *Etcd) KeepAlive(ctx context.Context, lease LeaseID) (<-chan struct{}, error) {
	c, cancel := s.bound(ctx)
	_, err := s.client.KeepAliveOnce(c, clientv3.LeaseID(lease))
	cancel()
	if err != nil {
		return nil, s.fail(ctx, "keepalive", err)
	}
	answers, err := s.client.KeepAlive(ctx, clientv3.LeaseID(lease))
	if err != nil {
		return nil, s.fail(ctx, "keepalive", err)
	}
	lost := make(chan struct{})
	go func() {
		defer close(lost)
		for range answers {
		}
	}()
	return lost, nil
}
