package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"weir/internal/ops/config"
)

func check() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "check -c FILE", Short: "Say all that is wrong with a configuration file", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return &UsageError{errors.New("no file given: write weir check -c FILE")}
			}
			c, err := config.Load(file)
			if err != nil {
				return err
			}
			roles := make([]string, len(c.Node.Roles))
			for i, r := range c.Node.Roles {
				roles[i] = string(r)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is good: node %s, %s, rtmp on %s, store %s\n",
				file, c.Node.Name, strings.Join(roles, " "), c.RTMP.Listen, c.Store.Kind)
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration `FILE` (YAML)")
	return cmd
}
