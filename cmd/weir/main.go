// Command weir runs and inspects Weir, one RTMP address in front of a fleet.
//
// It holds flags, signals and tables only: internal/node is the server and
// internal/demo the demonstration.
//
// Exit codes: 0 for an orderly end, 2 for a configuration or a command line
// that cannot work, 1 for what went wrong later, and where weir route finds no server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"weir/internal/ops/config"
)

const (
	exitRun    = 1
	exitConfig = 2
)

func main() {
	// The first signal asks for an orderly end; the second one, no longer caught,
	// ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program but for the process: arguments in, exit code out.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(out)
	cmd.SetErr(errOut)
	return report(cmd.ExecuteContext(ctx), errOut)
}

// UsageError is a command line that cannot work.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// toldError is one that needs an exit code and no more words.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

// report tells err in one line, or one line a problem for configurations, and
// returns the exit code for it.
func report(err error, to io.Writer) int {
	var problems config.Errors
	var usage *UsageError
	var told *toldError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return report(told.error, io.Discard)
	case errors.As(err, &problems):
		fmt.Fprint(to, problems.Detail())
		return exitConfig
	case errors.As(err, &usage):
		fmt.Fprintf(to, "weir: %s; see weir --help\n", oneLine(err))
		return exitConfig
	}
	fmt.Fprintf(to, "weir: %s\n", oneLine(err))
	return exitRun
}

func oneLine(err error) string { return printable(strings.Join(strings.Fields(err.Error()), " ")) }
