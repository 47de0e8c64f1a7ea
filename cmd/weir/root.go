package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"weir/internal/node"
)

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "weir",
		Short: "One RTMP address in front of a fleet",
		Long: "Weir puts one RTMP address in front of a fleet of servers: publishers push to any\n" +
			"address with any key, viewers play from any address.",
		SilenceErrors: true, // report does it
		SilenceUsage:  true,
		// As cobra has it where it finds an unknown command itself.
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &UsageError{err} })
	cmd.AddCommand(serve(), demonstrate(), check(), nodes(), streams(), sessions(), kick(), backends(), drain(), undrain(), route(), benchmark(), simulate(), version())
	return cmd
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("unknown command %q, did you mean %q?", args[0], near[0])
	}
	return &UsageError{err}
}

// noArgs is cobra.NoArgs as a usage error.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &UsageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

func version() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{
					"version": node.Version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			fmt.Fprintln(cmd.OutOrStdout(), "weir", node.Version())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
