package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"

	"weir/internal/control/store"
)

// settleSecret makes this node's secret and the stored one the same, unless it is configured: the stored
// one counts; if there is none, this node's own or else a new one is stored by transaction, so
// that nodes that start together agree.
func (c *Cluster) settleSecret(ctx context.Context) error {
	if len(c.o.Secret) > 0 {
		return nil
	}
	key := c.keys.secret()
	for range settleTries {
		kv, err := c.o.Store.Get(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			c.observe(seen{}, 0, err)
			return err
		}
		if secret, err := hex.DecodeString(string(kv.Value)); err == nil && len(secret) >= secretBytes {
			c.mu.Lock()
			c.secret = secret
			c.mu.Unlock()
			return nil
		}
		secret := c.Secret()
		if len(secret) == 0 {
			secret = make([]byte, secretBytes)
			rand.Read(secret) // never fails
		}
		if _, _, _, err := c.o.Store.Txn(ctx, []store.Cond{{Key: key, Rev: kv.Rev}},
			[]store.Op{store.OpPut(key, hex.AppendEncode(nil, secret), 0)}); err != nil {
			c.observe(seen{}, 0, err)
			return err
		}
	}
	return &store.UnavailableError{Op: "secret", Hint: "others keep changing it"}
}
