package cluster

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
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
			stale := c.everIn && !bytes.Equal(c.secret, secret) // the mark in the node's record
			c.secret = secret
			c.mu.Unlock()
			if stale {
				c.wakeSession.ring()
			}
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

// secretMark is the same of two nodes if their secrets are, and says nothing else of them: no
// more than the proof that a stranger gets by connecting.
func secretMark(secret []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("weir: which secret a node has"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// compareSecrets says which of the nodes that have come have another secret than this one. They look
// healthy to everybody, and nothing that needs a proof works between them and this node.
func (c *Cluster) compareSecrets(up []NodeRecord) {
	own := secretMark(c.Secret())
	var others []string
	for _, n := range up {
		if n.Name != c.o.Self.Name && n.SecretMark != "" && n.SecretMark != own { // none: of an older version
			others = append(others, n.Name)
		}
	}
	if len(others) > 0 {
		c.log.Error("nodes of this cluster have another secret than this node: neither side takes the other's connections; give all nodes the same store.secret, or none", "nodes", others)
	}
}
