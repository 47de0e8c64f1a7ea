package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/ops/admin"
)

func sessions() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sessions", Short: "List the sessions of the cluster's clients", Args: noArgs,
		Long: "List who publishes and who plays by RTMP and HTTP-FLV, and whose WebSockets are open, at\n" +
			"the node that the client is connected to, and how: served by that node, carried to the server\n" +
			"behind, joined with it (spliced), or passed to it (HTTP).\n" +
			"The numbers are those of the node's log (conn=).",
	}
	client, asJSON := asking(cmd)
	node := cmd.Flags().String("node", "", "only those of this node, `NAME`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := client().Sessions(cmd.Context(), *node)
		if err := show(cmd.OutOrStdout(), list.Sessions, raw, err, *asJSON, sessionTable); err != nil {
			return err
		}
		if len(list.Missed) > 0 {
			return fmt.Errorf("these nodes did not answer: %s", strings.Join(list.Missed, ", "))
		}
		return nil
	}
	return cmd
}

func kick() *cobra.Command {
	cmd := &cobra.Command{
		Use: "kick SESSION", Short: "End a session: NODE/NUMBER, as \"weir sessions\" lists them",
		Long: "End a client's session at any node. It is told so, unless it is spliced, and closed. It may\n" +
			"come back: what is to keep it out is the application's or the firewall's to say.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &UsageError{errors.New(`name one session; "weir sessions" lists them`)}
			}
			node, conn, err := admin.ParseSessionID(args[0])
			if err == nil && node == "" { // to the API, one of the node that answers, which may be any: not what an operator means
				err = fmt.Errorf("%d is a session of which node? Write NODE/%d, as \"weir sessions\" lists it", conn, conn)
			}
			if err != nil {
				return &UsageError{err}
			}
			return nil
		},
	}
	client, asJSON := asking(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		done, err := client().Kick(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(done)
		}
		row(cmd.OutOrStdout(), "%s is ended\n", done.Session)
		return nil
	}
	return cmd
}

func sessionTable(out io.Writer, list []admin.Session) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SESSION\tPROTOCOL\tROLE\tSTREAM\tCLIENT\tHOW\tSERVER\tFOR\tIN\tOUT")
	for _, s := range list {
		stream := "-"
		if s.Stream != "" {
			stream = s.App + "/" + s.Stream
		}
		row(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, dash(s.Protocol), s.Role, stream, s.Remote, dash(s.How), dash(s.Backend),
			time.Since(s.Since).Truncate(time.Second), amount(s.BytesIn), amount(s.BytesOut))
	}
	return t.Flush()
}

// amount writes bytes with decimal units, as bits does a rate.
func amount(n int64) string {
	for _, u := range []struct {
		least float64
		name  string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if float64(n) >= u.least {
			return fmt.Sprintf("%.1f %s", float64(n)/u.least, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
