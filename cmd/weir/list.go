package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/ops/admin"
	"weir/internal/ops/secret"
)

// defaultAdmin is where "weir serve" has its admin listener.
const defaultAdmin = "http://127.0.0.1:8081"

// asking adds the flags of commands that talk to a node, and returns where they
// end up. The token also comes from the environment, because other users see a
// command line.
func asking(cmd *cobra.Command) (client func() admin.Client, asJSON *bool) {
	url := cmd.Flags().String("admin", "", "a node's admin listener, `URL` (default $WEIR_ADMIN or "+defaultAdmin+")")
	token := cmd.Flags().String("token", "", "the admin token (default $WEIR_TOKEN)")
	asJSON = cmd.Flags().Bool("json", false, "print the API's own answer")
	return func() admin.Client {
		return admin.Client{
			URL:   cmp.Or(*url, os.Getenv("WEIR_ADMIN"), defaultAdmin),
			Token: secret.New(cmp.Or(*token, os.Getenv("WEIR_TOKEN"))),
		}
	}, asJSON
}

func nodes() *cobra.Command {
	cmd := &cobra.Command{Use: "nodes", Short: "List the nodes of the cluster", Args: noArgs}
	client, asJSON := asking(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := client().Nodes(cmd.Context())
		tellAge(cmd.ErrOrStderr(), raw)
		return show(cmd.OutOrStdout(), list, raw, err, *asJSON, nodeTable)
	}
	return cmd
}

func streams() *cobra.Command {
	cmd := &cobra.Command{Use: "streams", Short: "List the live streams of the cluster", Args: noArgs}
	client, asJSON := asking(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := client().Streams(cmd.Context())
		tellAge(cmd.ErrOrStderr(), raw)
		return show(cmd.OutOrStdout(), list, raw, err, *asJSON, streamTable)
	}
	return cmd
}

// tellAge says if a node answered from memory, and may not know of what has happened since.
func tellAge(errOut io.Writer, answer json.RawMessage) {
	var age admin.Age
	if json.Unmarshal(answer, &age) == nil && !age.StoreAway.IsZero() {
		fmt.Fprintf(errOut, "weir: that node has not heard from the store since %s: this list may be as old\n", age.StoreAway.UTC().Format(time.RFC3339))
	}
}

// show prints what a node answered.
func show[T any](out io.Writer, list []T, raw json.RawMessage, err error, asJSON bool, table func(io.Writer, []T) error) error {
	if err != nil {
		return err
	}
	if asJSON {
		_, err := out.Write(raw)
		return err
	}
	return table(out, list)
}
