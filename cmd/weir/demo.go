package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/demo"
)

func demonstrate() *cobra.Command {
	var span time.Duration
	cmd := &cobra.Command{
		Use: "demo", Short: "Run a cluster on this machine and send a test picture through it", Args: noArgs,
		Long: "Run a cluster on this machine, one front, two origins and two edges, each a process\n" +
			"of its own, and send a test picture through it. Ctrl-C ends all of it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if span < 0 {
				return &UsageError{fmt.Errorf("--for %s: a time cannot be negative", span)}
			}
			exe, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding this program's file: %w", err)
			}
			return demo.Run(cmd.Context(), demo.Options{For: span, Exe: exe, Out: cmd.OutOrStdout()})
		},
	}
	cmd.Flags().DurationVar(&span, "for", 0, "end after this `TIME`, with exit code 1 if media did not arrive everywhere")
	return cmd
}
