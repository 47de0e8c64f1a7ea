package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// EtcdOptions configure a client of an etcd cluster. Endpoints are required.
type EtcdOptions struct {
	Endpoints []string // host:port, or URLs with http or https
	TLS       *tls.Config
	Username  string
	Password  string
	Timeout   time.Duration // of one call; DefaultTimeout if 0
	Logger    *slog.Logger  // discards if nil; hears what the client library warns of
}

// Etcd is a client of an etcd cluster, version 3.4 or later.
type Etcd struct {
	client    *clientv3.Client
	endpoints []string
	timeout   time.Duration
	nameless  bool // TLS without a certificate of this client's own
	last      *lastFailure
	failure   *failure      // of a member in this process; nil: there is none
	done      chan struct{} // closed by Close
}

// NewEtcd makes a client. It does not wait for the cluster: the first call tells.
func NewEtcd(o EtcdOptions) (*Etcd, error) {
	if len(o.Endpoints) == 0 {
		return nil, fmt.Errorf("store: etcd: no endpoints; give at least one host:port")
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	last := new(lastFailure)
	dial := []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{
			// grpc's own default waits up to two minutes: a store that
			// is back would go unnoticed that long.
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: o.Timeout,
		}),
		grpc.WithChainUnaryInterceptor(last.unary),
	}
	if o.Username != "" {
		dial = append(dial, newCredential(o.Username, o.Password).options()...)
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   o.Endpoints,
		TLS:         o.TLS,
		DialTimeout: o.Timeout,
		// The server refuses pings more often than every 5 s, and grpc raises
		// anything below 10 s. This only finds connections that died in silence.
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 3 * time.Second,
		Logger:               zapToSlog(o.Logger, nil),
		DialOptions:          dial,
	})
	if err != nil {
		return nil, translate("connect", o.Endpoints, err)
	}
	nameless := o.TLS != nil && len(o.TLS.Certificates) == 0 && o.TLS.GetClientCertificate == nil
	return &Etcd{client: client, endpoints: o.Endpoints, timeout: o.Timeout, nameless: nameless, last: last, done: make(chan struct{})}, nil
}

// bound gives a call its timeout, which is over already once the store is closed or has failed: the
// library would wait for a connection that never comes.
func (s *Etcd) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	over := s.failure.get() != nil
	select {
	case <-s.done:
		over = true
	default:
	}
	if over {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}
	return context.WithTimeout(ctx, s.timeout)
}

// fail types the error of a call made under parent.
func (s *Etcd) fail(parent context.Context, op string, err error) error {
	select {
	case <-s.done:
		return ErrClosed
	default:
	}
	if context.Cause(parent) == context.Canceled {
		return parent.Err()
	}
	if failed := s.failure.get(); failed != nil {
		return &UnavailableError{Op: op, Endpoints: s.endpoints, Err: failed,
			Hint: "the embedded store has failed: see to its disk, then restart this node"}
	}
	err = translate(op, s.endpoints, s.last.explain(err))
	if u, ok := errors.AsType[*UnavailableError](err); ok {
		switch {
		case answersInClear(u.Err):
			u.Hint = "what answers there speaks no TLS: remove store.tls if that is meant; an embedded store has none"
		case s.nameless && brokenOff(u.Err):
			u.Hint = "etcd breaks the connection off: does it ask for a certificate of this node's own? store.tls.cert and key"
		}
	}
	return err
}

// Get implements [Store].
func (s *Etcd) Get(ctx context.Context, key string) (KV, error) {
	c, cancel := s.bound(ctx)
	defer cancel()
	r, err := s.client.Get(c, key)
	if err != nil {
		return KV{}, s.fail(ctx, "get", err)
	}
	if len(r.Kvs) == 0 {
		return KV{}, ErrNotFound
	}
	return fromEtcd(r.Kvs[0]), nil
}

// List implements [Store].
func (s *Etcd) List(ctx context.Context, prefix string) ([]KV, int64, error) {
	c, cancel := s.bound(ctx)
	defer cancel()
	r, err := s.client.Get(c, prefix, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		return nil, 0, s.fail(ctx, "list", err)
	}
	kvs := make([]KV, len(r.Kvs))
	for i, kv := range r.Kvs {
		kvs[i] = fromEtcd(kv)
	}
	return kvs, r.Header.Revision, nil
}

// Put implements [Store].
func (s *Etcd) Put(ctx context.Context, key string, value []byte, lease LeaseID) (int64, error) {
	c, cancel := s.bound(ctx)
	defer cancel()
	r, err := s.client.Put(c, key, string(value), clientv3.WithLease(clientv3.LeaseID(lease)))
	if err != nil {
		return 0, s.fail(ctx, "put", err)
	}
	return r.Header.Revision, nil
}

// Delete implements [Store].
func (s *Etcd) Delete(ctx context.Context, key string) error {
	c, cancel := s.bound(ctx)
	defer cancel()
	if _, err := s.client.Delete(c, key); err != nil {
		return s.fail(ctx, "delete", err)
	}
	return nil
}

// Txn implements [Store].
func (s *Etcd) Txn(ctx context.Context, conds []Cond, ops []Op) (bool, int64, []KV, error) {
	cmps := make([]clientv3.Cmp, len(conds))
	gets := make([]clientv3.Op, len(conds))
	for i, c := range conds {
		cmps[i] = clientv3.Compare(clientv3.ModRevision(c.Key), "=", c.Rev)
		gets[i] = clientv3.OpGet(c.Key)
	}
	writes := make([]clientv3.Op, len(ops))
	for i, op := range ops {
		if op.Delete {
			writes[i] = clientv3.OpDelete(op.Key)
		} else {
			writes[i] = clientv3.OpPut(op.Key, string(op.Value), clientv3.WithLease(clientv3.LeaseID(op.Lease)))
		}
	}
	c, cancel := s.bound(ctx)
	defer cancel()
	r, err := s.client.Txn(c).If(cmps...).Then(writes...).Else(gets...).Commit()
	if err != nil {
		return false, 0, nil, s.fail(ctx, "txn", err)
	}
	if r.Succeeded {
		return true, r.Header.Revision, nil, nil
	}
	current := make([]KV, len(conds))
	for i, resp := range r.Responses {
		current[i].Key = conds[i].Key
		if kvs := resp.GetResponseRange().GetKvs(); len(kvs) > 0 {
			current[i] = fromEtcd(kvs[0])
		}
	}
	return false, r.Header.Revision, current, nil
}

// Close implements [Store].
func (s *Etcd) Close() error {
	select {
	case <-s.done:
		return nil
	default:
		close(s.done)
	}
	return s.client.Close()
}

func fromEtcd(kv *mvccpb.KeyValue) KV {
	return KV{Key: string(kv.Key), Value: kv.Value, Rev: kv.ModRevision, Create: kv.CreateRevision, Lease: LeaseID(kv.Lease)}
}
