// Package config is the configuration file: its sections, their defaults, and
// everything that can be wrong with them.
//
// [Load] reads a YAML file, lays the command line's flags over it ([Override])
// and returns a [Config] that is complete and consistent, or [Errors]: all that
// is wrong at once, each with file, line, column, the line itself and what to do.
//
// What it is not: it opens no listener and looks at nothing but the files that
// the configuration names (certificates). Values that only the machine can judge
// (a port in use, a store that does not answer) are the node's business.
//
// limits.go holds every limit of the project in one table, the wire's included.
//
// How it works: the file is parsed to a syntax tree by goccy/go-yaml and then
// decoded here (decode.go) by the struct tags of Config, because a decoder that
// stops at the first error, or knows no columns, cannot do the above.
package config
