package main

import (
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"weir/internal/node"
	"weir/internal/ops/config"
)

// flags of serve that set a key of the configuration file.
var flags = []struct{ name, key, usage string }{
	{"name", "node.name", "this node's name, unique in the cluster"},
	{"roles", "node.roles", "what this node does: front,origin,edge"},
	{"rtmp", "rtmp.listen", "listen for RTMP on `HOST:PORT`; port 0 picks a free one"},
	{"http", "http.listen", "listen for HTTP viewers on `HOST:PORT`"},
	{"admin", "admin.listen", "listen for health, metrics and the API on `HOST:PORT`"},
	{"advertise", "node.advertise", "`HOST` that others reach this node by"},
	{"store", "store.kind", "where the cluster's records are: memory, embedded or etcd"},
	{"store-listen", "store.listen", "the embedded store's client address, `HOST:PORT`"},
	{"store-endpoints", "store.endpoints", "etcd's client addresses, `A,B`"},
	{"store-peers", "store.peers", "all embedded members, this one too, `NAME=HOST:PORT,...`; none: a single member"},
	{"store-dir", "store.dir", "the embedded store's data, `DIR`"},
	{"log-level", "node.log_level", "debug, info, warn or error"},
	{"log-format", "node.log_format", "text or json"},
}

func serve() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "serve", Short: "Run a node", Args: noArgs,
		Long: "Run a node. Without a file and flags it is a standalone server: front, origin and\n" +
			"edge in one, with RTMP on port 1935. Flags override the file.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file, overrides(cmd)...)
			if err != nil {
				return err
			}
			log := logger(cmd.ErrOrStderr(), cfg.Node)
			if err := node.Run(cmd.Context(), cfg, log); err != nil {
				if cfg.Node.LogFormat != config.LogJSON {
					return err
				}
				log.Error("the node ends", "err", oneLine(err)) // who reads JSON reads nothing else
				return &toldError{err}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration `FILE` (YAML)")
	for _, f := range flags {
		cmd.Flags().String(f.name, "", f.usage)
	}
	return cmd
}

// overrides returns the flags that were given.
func overrides(cmd *cobra.Command) []config.Override {
	var out []config.Override
	for _, f := range flags {
		if flag := cmd.Flags().Lookup(f.name); flag.Changed {
			out = append(out, config.Override{Flag: "--" + f.name, Key: f.key, Value: flag.Value.String()})
		}
	}
	return out
}

func logger(to io.Writer, n config.Node) *slog.Logger {
	o := &slog.HandlerOptions{Level: n.LogLevel}
	if n.LogFormat == config.LogJSON {
		o.ReplaceAttr = func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindDuration {
				// Seconds, as in the metrics: slog would write nanoseconds.
				return slog.Float64(a.Key, a.Value.Duration().Seconds())
			}
			return a
		}
		return slog.New(slog.NewJSONHandler(to, o))
	}
	return slog.New(slog.NewTextHandler(to, o))
}
