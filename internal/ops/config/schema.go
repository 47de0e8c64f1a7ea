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

// structField is a field of a section, or of one that is part of it.
type structField struct {
	name  string
	index []int
}

// fieldsOf lists a section's fields; those of inlined ones are its own.
func fieldsOf(t reflect.Type) []structField {
	var out []structField
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag != ",inline" {
			out = append(out, structField{tag, []int{i}})
			continue
		}
		for _, in := range fieldsOf(f.Type) {
			out = append(out, structField{in.name, append([]int{i}, in.index...)})
		}
	}
	return out
}

// keys returns the dotted keys of all values, sorted; names chosen by the
// operator stand as "*" ("apps.*.play.wait").
var keys = sync.OnceValue(func() []string {
	var out []string
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		switch {
		case isSection(t):
			for _, f := range fieldsOf(t) {
				walk(t.FieldByIndex(f.index).Type, join(path, f.name))
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
	for _, f := range fieldsOf(v.Type()) {
		if f.name != name {
			continue
		}
		if rest == "" {
			return v.FieldByIndex(f.index), true
		}
		return field(v.FieldByIndex(f.index), rest)
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
