package rig

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is a command's main: run until it ends, or is told to by a signal, and says what failed.
func Main(name string, run func(ctx context.Context, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Hold takes the machine for a measurement: nobody else measures, new connections have the congestion
// control cubic (others move sending into timers, where a process's account does not see it), and there
// is a directory for what is temporary. An error: another measurement is under way, or there is no directory.
func Hold() (w Where, dir string, release func(), err error) {
	leave, err := alone()
	if err != nil {
		return w, "", nil, err
	}
	if dir, err = os.MkdirTemp("", "weir-bench-"); err != nil {
		leave()
		return w, "", nil, err
	}
	restore, congestion, err := fixCongestion("cubic")
	if err != nil {
		fmt.Fprintln(os.Stderr, "the congestion control stays as it is:", err)
	}
	return here(congestion), dir, func() {
		restore()
		_ = os.RemoveAll(dir)
		leave()
	}, nil
}
