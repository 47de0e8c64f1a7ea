package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weir/internal/stream"
)

func route() *cobra.Command {
	cmd := &cobra.Command{
		Use: "route APP/NAME", Short: "Say where a session would be placed, and why",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &UsageError{fmt.Errorf("name one stream, as APP/NAME")}
			}
			return nil
		},
	}
	client, asJSON := asking(cmd)
	publish := cmd.Flags().Bool("publish", false, "ask for a publisher, not for a viewer")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		name, err := stream.ParseName(args[0])
		if err != nil {
			return &UsageError{err}
		}
		action := "play"
		if *publish {
			action = "publish"
		}
		r, raw, err := client().Route(cmd.Context(), name, action)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		if *asJSON {
			_, err := out.Write(raw)
			return err
		}
		if r.Node == "" {
			fmt.Fprintf(out, "nowhere: %s\n", r.Reason)
		} else {
			fmt.Fprintln(out, r.Reason)
		}
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, n := range r.Rejected {
			fmt.Fprintf(t, "  not %s\t%s\n", n.Node, n.Reason)
		}
		return t.Flush()
	}
	return cmd
}
