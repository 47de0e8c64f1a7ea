package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Override is a flag given on the command line.
type Override struct {
	Flag  string // as the operator wrote it: "--rtmp"
	Key   string // the dotted key that it sets: "rtmp.listen"
	Value string // a list's items are separated by commas
}

// maxFileBytes bounds the configuration file. Stops: "-c /dev/zero" and the
// wrong file; the longest sensible configuration has some 100 KiB.
const maxFileBytes = 4 << 20

// Load reads the file at path (none if empty), lays flags over it and checks
// the whole. The error is of type [Errors].
func Load(path string, flags ...Override) (Config, error) {
	var data []byte
	if path != "" {
		var err error
		if data, err = read(path); err != nil {
			return Config{}, Errors{{Source: path, Problem: err.Error(), Hint: "give the configuration file with -c FILE"}}
		}
	}
	return Parse(path, data, flags...)
}

// Parse is [Load] of a file whose content is data. Relative paths in it are
// relative to the directory of path.
func Parse(path string, data []byte, flags ...Override) (Config, error) {
	c := Default()
	d := newDecoder()
	d.decodeFile(&c, path, bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(d.errs) > 0 && d.errs[0].Key == "" {
		return Config{}, d.errs // not YAML at all: whatever follows would be noise
	}
	for _, f := range flags {
		d.override(&c, f)
	}
	c.resolvePaths(d, filepath.Dir(path))
	check(&c, d)
	if len(d.errs) == 0 {
		return c, nil
	}
	slices.SortStableFunc(d.errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return Config{}, d.errs
}

func (d *decoder) override(c *Config, f Override) {
	v, ok := field(reflect.ValueOf(c).Elem(), f.Key)
	if !ok {
		panic("config: flag " + f.Flag + " sets the unknown key " + f.Key)
	}
	at := place{source: f.Flag}
	d.places[f.Key] = at
	delete(d.unread, f.Key) // the file's value counts no more
	if v.Kind() != reflect.Slice {
		if err := setScalar(v, f.Value); err != nil {
			d.report(at, "", err.problem, err.hint)
			d.unread[f.Key] = true
		}
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, 4)
	for text := range strings.SplitSeq(f.Value, ",") {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := setScalar(e, strings.TrimSpace(text)); err != nil {
			d.report(at, "", err.problem, err.hint)
			d.unread[f.Key] = true
			continue
		}
		out = reflect.Append(out, e)
	}
	v.Set(out)
}

// resolvePaths makes paths written in the file relative to the file, not to
// wherever the process was started; paths in flags stay as the shell means them.
func (c *Config) resolvePaths(d *decoder, dir string) {
	paths := map[string]*string{
		"rtmp.tls.cert": &c.RTMP.TLS.Cert, "rtmp.tls.key": &c.RTMP.TLS.Key,
		"http.tls.cert": &c.HTTP.TLS.Cert, "http.tls.key": &c.HTTP.TLS.Key,
		"http.acme.ca_root": &c.HTTP.ACME.CARoot, "http.acme.dir": &c.HTTP.ACME.Dir,
		"store.dir":    &c.Store.Dir,
		"store.tls.ca": &c.Store.TLS.CA, "store.tls.cert": &c.Store.TLS.Cert, "store.tls.key": &c.Store.TLS.Key,
	}
	for i := range c.HTTP.TLS.Certificates {
		p := &c.HTTP.TLS.Certificates[i]
		key := fmt.Sprintf("http.tls.certificates[%d]", i)
		paths[key+".cert"], paths[key+".key"] = &p.Cert, &p.Key
	}
	for key, p := range paths {
		if at, ok := d.places[key]; ok && at.line > 0 && *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file")
	case err != nil:
		return nil, bare(err)
	case info.IsDir():
		return nil, errors.New("this is a directory")
	case info.Size() > maxFileBytes:
		return nil, fmt.Errorf("larger than %s: hardly a configuration", Size(maxFileBytes))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, bare(err)
	}
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
		return nil, errors.New("not a text file in UTF-8")
	}
	return data, nil
}

// bare returns the cause of a file error without the operation and the path,
// which the message has already.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
