package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/ops/admin"
)

// backendActions are the orders that "weir backends" can give, and what is said when they are taken.
var backendActions = []struct{ use, short, done string }{
	{"drain", "Send a backend nothing new, and move what can move; --wait: until it is empty", "gets nothing new"},
	{"ready", "Make a backend take sessions again", "takes sessions"},
	{"maint", "Take a backend out: nothing goes there, nor is it checked", "is out"},
}

func backends() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backends", Short: "List the servers that are no nodes, or change one",
		Long: "List the servers that are no nodes of the cluster, as the front that answers sees them;\n" +
			"with a command, order one to be drained, ready or in maintenance, or weigh it, on all fronts.",
		Args: unknownCommand,
	}
	client, asJSON := asking(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := client().Backends(cmd.Context())
		if err := show(cmd.OutOrStdout(), list.Backends, raw, err, *asJSON, backendTable); err != nil || *asJSON {
			return err
		}
		return sourceTable(cmd.OutOrStdout(), list.Sources)
	}
	for _, a := range backendActions {
		sub := &cobra.Command{Use: a.use + " NAME", Short: a.short, Args: oneBackend}
		client, asJSON := asking(sub)
		wait, timeout := new(bool), new(time.Duration)
		if a.use != "ready" {
			wait = sub.Flags().Bool("wait", false, "return when no front has anything there any more, and say what is left until then")
			timeout = sub.Flags().Duration("timeout", 0, "wait, but no longer than this `TIME`; the order stands (default: wait for ever)")
		}
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			c, out := client(), cmd.OutOrStdout()
			done, err := c.OrderBackend(cmd.Context(), args[0], a.use)
			if err := showChange(out, done, err, *asJSON, a.done); err != nil || !*wait && *timeout <= 0 {
				return err
			}
			ctx := cmd.Context()
			if *timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, *timeout)
				defer cancel()
			}
			if *asJSON {
				out = io.Discard // one answer is enough
			}
			return watchBackend(ctx, out, c, args[0])
		}
		cmd.AddCommand(sub)
	}
	cmd.AddCommand(weigh())
	return cmd
}

// watchBackend prints what is left at a backend until that is nothing: of the fronts, and by its own report of
// publishers, whose media may pass no front (WHIP).
func watchBackend(ctx context.Context, out io.Writer, c admin.Client, name string) error {
	return watchEmpty(ctx, out, name, func() (line string, over bool, err error) {
		b, err := c.Backend(ctx, name)
		switch {
		case err != nil:
			return "", false, err
		case b.Left == nil:
			return "", false, fmt.Errorf("the node does not say what is left at %s: is it older than this command?", name)
		case b.Operator == "ready":
			return "", false, fmt.Errorf("%s has been made ready meanwhile", name)
		case b.Left.Empty && b.Load.Own():
			return name + " is empty", true, nil
		case b.Left.Empty && b.Load.Publishers == 0:
			return name + " is empty, and reports no publishers", true, nil
		}
		line = fmt.Sprintf("%s: %d publishers, %d viewers", name, b.Left.Publishers, b.Left.Viewers)
		if b.Left.Opening > 0 {
			line += fmt.Sprintf(", %d on the way", b.Left.Opening)
		}
		if len(b.Left.Fronts) > 0 {
			line += " of " + strings.Join(b.Left.Fronts, ", ")
		}
		if len(b.Left.Missed) > 0 {
			line += "; no answer from " + strings.Join(b.Left.Missed, ", ")
		}
		if !b.Load.Own() {
			line += fmt.Sprintf("; it reports %d publishers", b.Load.Publishers)
		}
		return line, false, nil
	})
}

func weigh() *cobra.Command {
	cmd := &cobra.Command{
		Use: "weight NAME N", Short: "Give a backend a weight, against others of 1; 0: the configured one",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &UsageError{errors.New(`name one backend and its weight; "weir backends" lists them`)}
			}
			return nil
		},
	}
	client, asJSON := asking(cmd)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		// A number below zero is taken for flags of one letter.
		var e interface{ GetSpecifiedShortnames() string }
		if errors.As(err, &e) {
			text := "-" + e.GetSpecifiedShortnames()
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				return noWeight(text)
			}
		}
		return &UsageError{err}
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, err := strconv.ParseFloat(args[1], 64)
		if err != nil || !(w >= 0) {
			return noWeight(args[1])
		}
		done, err := client().WeighBackend(cmd.Context(), args[0], w)
		said := "weighs " + args[1]
		if w == 0 {
			said = "weighs what is configured"
		}
		return showChange(cmd.OutOrStdout(), done, err, *asJSON, said)
	}
	return cmd
}

func noWeight(text string) error {
	return &UsageError{fmt.Errorf("%q is no weight: write a number, 0 for the configured one", text)}
}

// showChange says what came of an order, and which fronts did not hear it.
func showChange(out io.Writer, done admin.BackendChange, err error, asJSON bool, said string) error {
	if err != nil {
		return err
	}
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(done)
	}
	row(out, "%s %s\n", done.Backend, said)
	if len(done.Missed) > 0 {
		return fmt.Errorf("these fronts did not answer, and go on as before: %s", strings.Join(done.Missed, ", "))
	}
	return nil
}

func oneBackend(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return &UsageError{errors.New(`name one backend; "weir backends" lists them`)}
	}
	return nil
}

// sourceTable says where the backends are learned of, unless the configuration names them all.
func sourceTable(out io.Writer, list []admin.Source) error {
	if !slices.ContainsFunc(list, func(s admin.Source) bool { return s.Name != "static" }) {
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nSOURCE\tSERVERS\tUPDATED\tFAILURES\tFAILING")
	for _, s := range list {
		updated := "never"
		if !s.Updated.IsZero() {
			updated = time.Since(s.Updated).Truncate(time.Second).String() + " ago"
		}
		row(t, "%s\t%d\t%s\t%d\t%s\n", s.Name, s.Servers, updated, s.Failures, dash(s.Failing))
	}
	return t.Flush()
}

func backendTable(out io.Writer, list []admin.Backend) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BACKEND\tSTATE\tRTMP\tWEIGHT\tPUBLISHERS\tSESSIONS\tSTREAMS\tIN\tOUT\tWHY")
	for _, b := range list {
		why := b.Health.Reason
		if b.State == "up" && b.Load.Problem != "" {
			why = "load: " + b.Load.Problem
		}
		row(t, "%s\t%s\t%s\t%g\t%d\t%d\t%d\t%s\t%s\t%s\n", b.Name, b.State, dash(b.Addresses.RTMP), b.Weight, b.Load.Publishers, b.Load.Sessions, b.Streams,
			bits(b.Load.Ingress), bits(b.Load.Egress), dash(why))
	}
	return t.Flush()
}
