package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Bench runs weir bench to its end and reads the result. An error with a result read says that no
// session came up.
func Bench(ctx context.Context, weir string, into any, args ...string) error {
	p, err := Start(append(append([]string{weir, "bench"}, args...), "--json")...)
	if err != nil {
		return err
	}
	select {
	case <-p.Done:
	case <-ctx.Done():
		p.Kill()
	}
	if err := p.result(into); err != nil {
		return fmt.Errorf("weir bench %s: %w: %s", args[0], err, strings.TrimSpace(p.Log.Tail(500)))
	}
	return p.Err
}

// Publish starts weir bench publish, which goes on until end, which reads the result.
func Publish(weir, url string, args ...string) (end func(into any) error, err error) {
	p, err := Start(append([]string{weir, "bench", "publish", url, "--json"}, args...)...)
	if err != nil {
		return nil, err
	}
	return func(into any) error {
		p.Stop()
		return p.result(into)
	}, nil
}

// result is the JSON that the program has printed; messages may follow it.
func (p *Program) result(into any) error {
	return json.NewDecoder(strings.NewReader(p.Log.Tail(maxResult))).Decode(into)
}

// maxResult is far longer than any result.
const maxResult = 64 << 20
