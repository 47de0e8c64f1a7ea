package main

import (
	"fmt"
	"io"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/ops/admin"
	"weir/internal/stream"
)

func route() *cobra.Command {
	cmd := &cobra.Command{
		Use: "route APP/NAME", Short: "Say where a session would be placed, or was, and why",
		Long: "Say where a session would be placed, or was, and why. Where no server would take it,\nthat is said with the reasons, and the exit code is 1.",
		Args: func(cmd *cobra.Command, args []string) error {
			if past, _ := cmd.Flags().GetBool("past"); len(args) == 1 || past && len(args) == 0 {
				return nil
			}
			return &UsageError{fmt.Errorf("name one stream, as APP/NAME")}
		},
	}
	client, asJSON := asking(cmd)
	publish := cmd.Flags().Bool("publish", false, "ask for a publisher, not for a viewer")
	source := cmd.Flags().String("source", "", "the client's address, where it decides: source_hash, place.source_sticky")
	zone := cmd.Flags().String("zone", "", "the zone of the front that it comes to, if not the answering node's")
	past := cmd.Flags().Bool("past", false, "say where sessions went, the last first; of one stream or of all")
	limit := cmd.Flags().Int("limit", 20, "with --past: how many of them")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *past {
			q := admin.DecisionQuery{Limit: *limit}
			if *publish {
				q.Action = "publish"
			}
			if len(args) == 1 {
				name, err := stream.ParseName(args[0])
				if err != nil {
					return &UsageError{err}
				}
				q.App, q.Name = name.App, name.Stream
			}
			list, raw, err := client().Decisions(cmd.Context(), q)
			return show(cmd.OutOrStdout(), list, raw, err, *asJSON, decisionTable)
		}
		name, err := stream.ParseName(args[0])
		if err != nil {
			return &UsageError{err}
		}
		q := admin.RouteQuery{Name: name, Publish: *publish, Zone: *zone}
		if *source != "" {
			if q.Source, err = netip.ParseAddr(*source); err != nil {
				return &UsageError{fmt.Errorf("--source: an address without a port: %w", err)}
			}
		}
		r, raw, err := client().Route(cmd.Context(), q)
		if err != nil {
			return err
		}
		if *asJSON {
			_, err = cmd.OutOrStdout().Write(raw)
		} else {
			err = routeTable(cmd.OutOrStdout(), r)
		}
		if err == nil && r.Node == "" {
			err = fmt.Errorf("%s of %s: no server would take it", r.Action, name) // for the exit code
		}
		return err
	}
	return cmd
}

func routeTable(out io.Writer, r admin.Route) error {
	if r.Node == "" {
		row(out, "nowhere: %s\n", r.Reason)
	} else {
		row(out, "%s\n", r.Reason)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, n := range r.Rejected {
		row(t, "  not %s\t%s\n", n.Node, n.Reason)
	}
	return t.Flush()
}

func decisionTable(out io.Writer, list []admin.Decision) error {
	for _, d := range list {
		stream := d.App + "/" + d.Name
		if d.Source != "" {
			stream += " of " + d.Source
		}
		row(out, "%s  %s %s, %s: %s\n", d.At.Local().Format(time.StampMilli), d.Action, stream, d.Outcome, d.Reason)
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, n := range d.Rejected {
			row(t, "  not %s\t%s\n", n.Node, n.Reason)
		}
		for _, o := range d.Others {
			row(t, "  not %d others\t%s\n", o.Count, o.Reason)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}
