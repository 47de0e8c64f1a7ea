package config

import (
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

func (k checker) store() {
	if k.d.unread["store.kind"] {
		return // whatever follows depends on it
	}
	s := k.Store
	only := func(kind StoreKind, keys ...string) {
		for _, key := range keys {
			if s.Kind != kind && k.written(key) {
				k.at(key, fmt.Sprintf("has no effect while store.kind is %s", s.Kind), fmt.Sprintf("set store.kind: %s, or remove it", kind))
			}
		}
	}
	only(StoreEmbedded, "store.listen", "store.dir", "store.peers")
	only(StoreEtcd, "store.endpoints", "store.user", "store.password")
	switch s.Kind {
	case StoreMemory:
		if len(k.Node.Roles) > 0 && !k.Node.Has(RoleOrigin) && !(k.Front.Backends.Any() && k.Node.Has(RoleFront)) {
			k.at("node.roles", "without the role origin, a node needs a store that it shares with other nodes",
				"set store.kind to etcd or embedded, or add the role origin")
		}
		for _, key := range []string{"store.tls.ca", "store.tls.cert", "store.tls.key"} {
			if k.written(key) {
				k.at(key, "has no effect while store.kind is memory", "remove it")
			}
		}
	case StoreEtcd:
		if len(s.Endpoints) == 0 {
			k.at("store.endpoints", "missing: store.kind is etcd", "list etcd's client addresses, as in [10.0.0.1:2379, 10.0.0.2:2379, 10.0.0.3:2379]")
		}
		for i, e := range s.Endpoints {
			bare := strings.TrimPrefix(strings.TrimPrefix(e, "https://"), "http://")
			k.dialable(listKey(k, "store.endpoints", i), bare, "2379")
		}
		if (s.User == "") != !s.Password.IsSet() {
			k.at(first(k, "store.user", "store.password"), "store.user and store.password belong together", "give both or neither")
		}
	case StoreEmbedded:
		if s.Listen == "" {
			k.at("store.listen", "empty: no other node could join", "write HOST:PORT, as in 10.0.0.1:2379")
		}
		if s.Dir == "" {
			k.at("store.dir", "empty", "name a directory that survives a restart")
		}
		for _, key := range []string{"store.tls.ca", "store.tls.cert", "store.tls.key"} {
			if k.written(key) {
				k.at(key, "has no effect while store.kind is embedded: members and their clients speak in clear",
					"keep their ports on a network of their own and remove it, or run an etcd with TLS and set store.kind: etcd")
			}
		}
		k.peers()
	}
	if s.Secret.IsSet() && len(s.Secret.Reveal()) < 16 {
		k.at("store.secret", "shorter than 16 characters: it could be guessed", "make one with: openssl rand -hex 32")
	}
	if s.TLS.CA != "" {
		if pem, err := os.ReadFile(s.TLS.CA); err != nil {
			k.at("store.tls.ca", fmt.Sprintf("%s: %v", s.TLS.CA, bare(err)), "")
		} else if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			k.at("store.tls.ca", fmt.Sprintf("%s holds no PEM certificate", s.TLS.CA), "")
		}
	}
	if s.TLS.Cert != "" || s.TLS.Key != "" {
		k.keyPair("store.tls", s.TLS.Cert, s.TLS.Key, true)
	}
}
