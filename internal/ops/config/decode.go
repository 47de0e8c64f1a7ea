package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// place is where a value was written.
type place struct {
	source       string // file or flag
	line, column int    // from 1; 0 for a flag
	span         int
}

// decoder fills a Config from a syntax tree and remembers where each value came
// from, so that later checks can point at it.
type decoder struct {
	lines   []string
	file    string
	errs    Errors
	places  map[string]place // by dotted key
	unread  map[string]bool  // keys whose value could not be read, and unknownKey: nothing more is said of them
	anchors map[string]ast.Node
}

// unknownKey stands, in unread, for the keys that a section does not have: what they were to say may be
// what seems to be missing.
const unknownKey = "?"

func newDecoder() *decoder {
	return &decoder{places: map[string]place{}, unread: map[string]bool{}, anchors: map[string]ast.Node{}}
}

// decodeFile reads data into c. All errors are in d.errs.
func (d *decoder) decodeFile(c *Config, file string, data []byte) {
	d.decodeTree(reflect.ValueOf(c).Elem(), file, data)
}

// decodeTree reads data into a section.
func (d *decoder) decodeTree(c reflect.Value, file string, data []byte) {
	d.file, d.lines = file, strings.Split(string(data), "\n")
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		d.syntax(err)
		return
	}
	for i, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			d.fail(doc.Body.GetToken(), "", "a second document", "one file holds one configuration: remove the \"---\" line")
			return
		}
		d.decode(c, doc.Body, "")
	}
}

func (d *decoder) syntax(err error) {
	var se *yaml.SyntaxError
	if !errors.As(err, &se) || se.Token == nil {
		d.errs = append(d.errs, &Error{Source: d.file, Problem: "not YAML: " + firstLine(err.Error())})
		return
	}
	d.fail(se.Token, "", "not YAML: "+firstLine(se.Message), "")
}

// decode reads node into v, whose dotted key is path.
func (d *decoder) decode(v reflect.Value, node ast.Node, path string) {
	node = d.resolve(node)
	if node == nil {
		return
	}
	switch {
	case isSection(v.Type()):
		d.section(v, node, path)
	case v.Kind() == reflect.Map:
		d.named(v, node, path)
	case v.Kind() == reflect.Slice:
		d.list(v, node, path)
	default:
		text, ok := d.scalar(node, path)
		if !ok {
			return
		}
		d.note(node.GetToken(), path)
		if err := setScalar(v, text); err != nil {
			d.fail(node.GetToken(), path, err.problem, err.hint)
			d.unread[listOf(path)] = true
		}
	}
}

// section reads a mapping with known keys into a struct.
func (d *decoder) section(v reflect.Value, node ast.Node, path string) {
	pairs, ok := d.pairs(node, path)
	if !ok {
		return
	}
	fields := map[string][]int{}
	var names []string
	for _, f := range fieldsOf(v.Type()) {
		fields[f.name] = f.index
		names = append(names, f.name)
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken()
		name := key.Value
		index, ok := fields[name]
		if !ok {
			d.unknown(key, join(path, name), name, names)
			d.unread[join(path, unknownKey)] = true
			continue
		}
		d.note(key, join(path, name))
		d.decode(v.FieldByIndex(index), pair.Value, join(path, name))
	}
}

// named reads a mapping whose keys are names chosen by the operator.
func (d *decoder) named(v reflect.Value, node ast.Node, path string) {
	pairs, ok := d.pairs(node, path)
	if !ok {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken()
		item := reflect.New(v.Type().Elem()).Elem()
		d.note(key, join(path, key.Value))
		d.decode(item, pair.Value, join(path, key.Value))
		v.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
}

// list reads a sequence; a single scalar is a list of one. Sections are kept whatever is wrong with them, so
// that the checks find what else is; other items that cannot be read are left out.
func (d *decoder) list(v reflect.Value, node ast.Node, path string) {
	items := []ast.Node{node}
	if seq, ok := node.(*ast.SequenceNode); ok {
		items = seq.Values
	}
	d.note(node.GetToken(), path)
	out := reflect.MakeSlice(v.Type(), 0, len(items))
	errs, sections := len(d.errs), isSection(v.Type().Elem())
	for i, item := range items {
		e := reflect.New(v.Type().Elem()).Elem()
		before := len(d.errs)
		key := fmt.Sprintf("%s[%d]", path, i)
		if sections {
			d.note(item.GetToken(), key)
		}
		d.decode(e, item, key)
		if sections || len(d.errs) == before {
			out = reflect.Append(out, e)
		}
	}
	if !sections && len(d.errs) > errs {
		d.unread[path] = true
	}
	v.Set(out)
}

func (d *decoder) pairs(node ast.Node, path string) ([]*ast.MappingValueNode, bool) {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		what := "a section with keys"
		d.unread[path] = true
		if path == "" {
			d.fail(node.GetToken(), path, "the file must hold sections (node, rtmp, …)", "")
		} else {
			d.fail(node.GetToken(), path, "this must be "+what, "write the keys below it, indented")
		}
		return nil, false
	}
	for _, p := range pairs {
		if p.Key.IsMergeKey() {
			d.unread[path] = true
			d.fail(p.Key.GetToken(), path, "merge keys (<<) are not supported", "write the keys out")
			return nil, false
		}
	}
	return pairs, true
}

func (d *decoder) scalar(node ast.Node, path string) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	case *ast.MappingNode, *ast.MappingValueNode:
		d.fail(node.GetToken(), path, "this must be one value, not a section", "")
	case *ast.SequenceNode:
		d.fail(node.GetToken(), path, "this must be one value, not a list", "")
	default:
		d.fail(node.GetToken(), path, "this must be one value", "")
	}
	d.unread[listOf(path)] = true
	return "", false
}

// resolve looks through anchors, aliases and tags. Nil: there is no value
// ("rtmp:" with nothing below), which leaves the default.
func (d *decoder) resolve(node ast.Node) ast.Node {
	for range 16 { // an alias may stand for itself
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
			d.anchors[n.Name.GetToken().Value] = node
		case *ast.AliasNode:
			to, ok := d.anchors[n.Value.GetToken().Value]
			if !ok {
				d.fail(n.GetToken(), "", "no such anchor", "")
				return nil
			}
			node = to
		case *ast.TagNode:
			node = n.Value
		case *ast.NullNode, nil:
			return nil
		default:
			return node
		}
	}
	d.fail(node.GetToken(), "", "an alias of an alias, without end", "")
	return nil
}

// unknown reports a key that its section does not have.
func (d *decoder) unknown(key *token.Token, path, name string, names []string) {
	hint := suggest(name, names)
	if hint == "" {
		for _, k := range keys() {
			if strings.HasSuffix(k, "."+name) {
				hint = fmt.Sprintf("did you mean %s?", k)
				break
			}
		}
	}
	if hint == "" {
		slices.Sort(names)
		hint = "known here: " + strings.Join(names, ", ")
	}
	d.fail(key, path, "unknown key", hint)
}

func (d *decoder) note(t *token.Token, path string) { d.places[path] = d.at(t) }

func (d *decoder) at(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{source: d.file}
	}
	width := len([]rune(strings.TrimSpace(firstLine(t.Origin))))
	return place{source: d.file, line: t.Position.Line, column: t.Position.Column, span: max(width, 1)}
}

func (d *decoder) fail(t *token.Token, key, problem, hint string) {
	d.report(d.at(t), key, problem, hint)
}

// report adds an error at p, with the line's text if it is in the file.
func (d *decoder) report(p place, key, problem, hint string) {
	e := &Error{Source: p.source, Line: p.line, Column: p.column, Span: p.span, Key: key, Problem: problem, Hint: hint}
	if p.line > 0 && p.line <= len(d.lines) {
		e.Text = strings.TrimRight(d.lines[p.line-1], "\r")
	}
	d.errs = append(d.errs, e)
}

// listOf returns the list's key of an item's ("node.roles[1]"), and any other
// key as it is.
func listOf(key string) string {
	if strings.HasSuffix(key, "]") {
		return key[:strings.LastIndex(key, "[")]
	}
	return key
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimLeft(s, "\n"), "\n")
	return s
}
