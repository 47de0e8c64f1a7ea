package config

import (
	"reflect"
	"slices"
	"sync"

	"weir/internal/ops/secret"
)

// isSection reports whether t is a section of the file: a struct that is not a
// value of its own.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[secret.String]()
}

// keys returns the dotted keys of all values, sorted; names chosen by the
// operator stand as "*" ("apps.*.play.wait").
var keys = sync.OnceValue(func() []string {
	var out []string
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		switch {
		case isSection(t):
			for i := range t.NumField() {
				walk(t.Field(i).Type, join(path, t.Field(i).Tag.Get("yaml")))
			}
		case t.Kind() == reflect.Map:
			walk(t.Elem(), path+".*")
		default:
			out = append(out, path)
		}
	}
	walk(reflect.TypeFor[Config](), "")
	slices.Sort(out)
	return out
})

// field returns the value of a dotted key, for flags; only sections are walked.
func field(v reflect.Value, key string) (reflect.Value, bool) {
	name, rest := cutDot(key)
	if !isSection(v.Type()) {
		return reflect.Value{}, false
	}
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") != name {
			continue
		}
		if rest == "" {
			return v.Field(i), true
		}
		return field(v.Field(i), rest)
	}
	return reflect.Value{}, false
}

func cutDot(s string) (head, rest string) {
	for i := range len(s) {
		if s[i] == '.' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
