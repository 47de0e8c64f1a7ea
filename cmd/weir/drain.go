package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/node"
	"weir/internal/ops/admin"
)

// drainPoll is how often a drain's progress is asked for: nodes report their
// load once a second.
const drainPoll = 500 * time.Millisecond

func drain() *cobra.Command {
	cmd := &cobra.Command{
		Use: "drain NODE", Short: "Empty a node: it takes nothing new and hands over what it has", Args: oneNode,
		Long: "Empty a node. Publishers that came through a front move to another origin, their\n" +
			"viewers notice nothing; publishers connected to the node itself are asked to\n" +
			"reconnect if their software can, and stay otherwise. Viewers are let go, or moved\n" +
			"by their front, over the window. The command returns when the node is empty.",
	}
	client, _ := asking(cmd)
	window := cmd.Flags().Duration("window", admin.DefaultDrainWindow, "spread the release of viewers over this `TIME`; at least "+strconv.Itoa(node.ReleaseRate)+" go a second")
	wait := cmd.Flags().Duration("timeout", 0, "give up watching after this `TIME`; the drain goes on (default: watch for ever)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		if *wait > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *wait)
			defer cancel()
		}
		c := client()
		if err := c.Drain(ctx, args[0], *window); err != nil {
			return err
		}
		return watchDrain(ctx, cmd.OutOrStdout(), c, args[0])
	}
	return cmd
}

func undrain() *cobra.Command {
	cmd := &cobra.Command{Use: "undrain NODE", Short: "Make a drained node take sessions again", Args: oneNode}
	client, _ := asking(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := client().Undrain(cmd.Context(), args[0]); err != nil {
			return err
		}
		row(cmd.OutOrStdout(), "%s takes sessions again\n", args[0])
		return nil
	}
	return cmd
}

// watchDrain prints what is left at a node until it is empty.
func watchDrain(ctx context.Context, out io.Writer, c admin.Client, name string) error {
	return watchEmpty(ctx, out, name, func() (line string, over bool, err error) {
		nodes, _, err := c.Nodes(ctx)
		if err != nil {
			return "", false, err
		}
		i := slices.IndexFunc(nodes, func(n admin.Node) bool { return n.Name == name })
		if i < 0 {
			return name + " has left the cluster", true, nil
		}
		n := nodes[i]
		if n.State == "drained" {
			return name + " is empty", true, nil
		}
		return fmt.Sprintf("%s is %s: %d publishers, %d viewers", name, n.State, n.Load.Publishers, n.Load.Viewers), false, nil
	})
}

// watchEmpty prints what is left, on change, until it is over.
func watchEmpty(ctx context.Context, out io.Writer, name string, left func() (line string, over bool, err error)) error {
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	var said string
	for {
		line, over, err := left()
		switch {
		case ctx.Err() != nil: // which may be why it failed
		case err != nil:
			return err
		case line != said:
			row(out, "%s\n", line)
			said = line
		}
		if over {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not empty yet; the drain goes on", name)
		case <-tick.C:
		}
	}
}

// oneNode is the argument of commands about a node, as a usage error.
func oneNode(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return &UsageError{fmt.Errorf("name one node; \"weir nodes\" lists them")}
	}
	return nil
}
