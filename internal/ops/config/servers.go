package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// MaxServers bounds one list of servers. Stops: a list without end.
const MaxServers = 10_000

// maxNesting bounds brackets within brackets in a file of servers, which needs four. Stops: a
// parser that recurses.
const maxNesting = 16

// ParseServers reads a file of the shape of front.backends.servers: a mapping with the one key
// servers. The error is of type [Errors].
func (b *Backends) ParseServers(path string, data []byte) ([]Backend, error) {
	if nesting(data) > maxNesting {
		return nil, Errors{{Source: path, Problem: "nested too deeply: this is no list of servers"}}
	}
	var c struct {
		Servers []Server `yaml:"servers"`
	}
	d := newDecoder()
	d.decodeTree(reflect.ValueOf(&c).Elem(), path, bytes.TrimPrefix(data, []byte("\ufeff")))
	if c.Servers == nil && len(d.errs) == 0 { // also what a file looks like that is being written
		d.report(place{source: path}, "", "no list of servers", "write servers: and below it a list, as in front.backends.servers")
	}
	if len(d.errs) == 0 {
		k := checker{&Config{}, d}
		k.servers("servers", c.Servers, b.Defaults)
	}
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	return b.all(c.Servers), nil
}

// ParseServersJSON reads {"servers": [{"name": …, "rtmp": …}, …]} as a program answers it, with the fields of
// front.backends.servers; others are passed over. over are the settings of the source.
func (b *Backends) ParseServersJSON(data []byte, over BackendSettings) ([]Backend, error) {
	var c struct {
		Servers *[]map[string]any `json:"servers"`
	}
	err := json.Unmarshal(data, &c)
	if _, shape := errors.AsType[*json.UnmarshalTypeError](err); shape {
		return nil, errors.New(`not a list of servers: write {"servers": [{"name": …, "rtmp": …}, …]}`) // json's words are Go's
	}
	if err != nil {
		return nil, fmt.Errorf("not a list of servers: %w", err)
	}
	if c.Servers == nil {
		return nil, fmt.Errorf(`not a list of servers: it has no "servers"`)
	}
	if len(*c.Servers) > MaxServers {
		return nil, fmt.Errorf("%d servers: at most %d are believed", len(*c.Servers), MaxServers)
	}
	list := make([]Server, len(*c.Servers))
	d := newDecoder()
	for i, from := range *c.Servers {
		fillJSON(d, reflect.ValueOf(&list[i]).Elem(), from, fmt.Sprintf("servers[%d]", i))
	}
	if len(d.errs) == 0 {
		k := checker{&Config{}, d}
		k.servers("servers", list, b.Defaults, over)
	}
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	return b.all(list, over), nil
}

func (b *Backends) all(list []Server, over ...BackendSettings) []Backend {
	out := make([]Backend, len(list))
	for i, s := range list {
		out[i] = b.Backend(s, over...)
	}
	return out
}

// fillJSON sets the fields of a section that a JSON object has.
func fillJSON(d *decoder, v reflect.Value, from map[string]any, path string) {
	for _, f := range fieldsOf(v.Type()) {
		j, ok := from[f.name]
		if !ok || j == nil {
			continue
		}
		key, to := join(path, f.name), v.FieldByIndex(f.index)
		switch {
		case isSection(to.Type()):
			if o, ok := j.(map[string]any); ok {
				fillJSON(d, to, o, key)
			} else {
				d.report(place{}, key, "this must be an object", "")
			}
		case to.Kind() == reflect.Slice:
			items, ok := j.([]any)
			if !ok {
				items = []any{j}
			}
			for i, item := range items {
				e := reflect.New(to.Type().Elem()).Elem()
				setJSON(d, e, item, fmt.Sprintf("%s[%d]", key, i))
				to.Set(reflect.Append(to, e))
			}
		default:
			setJSON(d, to, j, key)
		}
	}
}

func setJSON(d *decoder, v reflect.Value, j any, key string) {
	var text string
	switch j := j.(type) {
	case string:
		text = j
	case bool:
		text = strconv.FormatBool(j)
	case float64:
		text = strconv.FormatFloat(j, 'f', -1, 64)
	default:
		d.report(place{}, key, "this must be one value", "")
		return
	}
	if err := setScalar(v, text); err != nil {
		d.report(place{}, key, shortened(err.problem), err.hint)
	}
}

// shortened bounds what a stranger's text makes of a log line.
func shortened(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// nesting is how deep brackets stand in each other, and dashes in a row, at most.
func nesting(data []byte) int {
	deepest, depth := 0, 0
	for line := range bytes.Lines(data) {
		dashes := 0
		for rest := strings.TrimLeft(string(line), " "); strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "? "); rest = strings.TrimLeft(rest[2:], " ") {
			dashes++
		}
		deepest = max(deepest, dashes)
	}
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		}
	}
	return deepest
}
