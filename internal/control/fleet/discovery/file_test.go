package discovery

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/fleet"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// watch is a file source over lines "NAME ADDR".
func watch(t *testing.T, o Options, path string) *File {
	s := NewFile(o, FileOptions{Path: path, Parse: func(_ string, data []byte) ([]fleet.Backend, error) { return list(data) }})
	run(t, s.Run)
	return s
}

func TestAFileIsFollowedHoweverItIsReplaced(t *testing.T) {
	o, h := world()
	dir := t.TempDir()
	path := filepath.Join(dir, "servers")
	put(t, path, "a h:1\n")
	watch(t, o, path)
	known(t, o.Backends, "a")
	put(t, path, "a h:1\nb h:2\n") // in place
	known(t, o.Backends, "a b")
	for _, text := range []string{"c h:3\n", "d h:4\n"} { // as editors do, again and again
		put(t, path+"~", text)
		must(t, os.Rename(path+"~", path))
		known(t, o.Backends, text[:1])
	}
	must(t, os.Remove(path))
	until(t, "it says that the file is gone", func() bool { return len(h.failures()) > 0 })
	if names(o.Backends) != "d" {
		t.Errorf("without its file the backends are %s", names(o.Backends))
	}
	put(t, path, "e h:5\n")
	known(t, o.Backends, "e")
	until(t, "it says that it works again", func() bool { return h.has(again) })
}

// Kubernetes mounts a ConfigMap as links to ..data/NAME, where ..data is a link to a directory that
// is replaced as a whole.
func TestAConfigMapIsFollowed(t *testing.T) {
	o, _ := world()
	dir := t.TempDir()
	publish := func(version, text string) {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o755))
		put(t, filepath.Join(dir, version, "servers"), text)
		must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	publish("..1", "a h:1\n")
	must(t, os.Symlink(filepath.Join("..data", "servers"), filepath.Join(dir, "servers")))
	// The configuration names a link elsewhere, which is one more step of the way.
	elsewhere := filepath.Join(t.TempDir(), "servers")
	must(t, os.Symlink(filepath.Join(dir, "servers"), elsewhere))
	watch(t, o, filepath.Join(dir, "servers"))
	o2, _ := world()
	watch(t, o2, elsewhere)
	known(t, o.Backends, "a")
	known(t, o2.Backends, "a")
	publish("..2", "b h:2\n")
	known(t, o.Backends, "b")
	known(t, o2.Backends, "b")
	must(t, os.RemoveAll(filepath.Join(dir, "..1")))
	publish("..3", "c h:3\n")
	known(t, o.Backends, "c")
	known(t, o2.Backends, "c")
}

func TestWhatIsNoListChangesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name, want string
		damage     func(path string)
	}{
		{"empty", "the file is empty", func(path string) { put(t, path, "") }},
		{"blank", "the file is empty", func(path string) { put(t, path, " \n") }},
		{"garbage", "a line that is no server", func(path string) { put(t, path, "\x00\xff\x00") }},
		{"too large", "is larger than", func(path string) { put(t, path, strings.Repeat("a h:1\n", maxBytes/6+1)) }},
		{"a directory", "is no file", func(path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o755)) }},
		{"a pipe", "is no file", func(path string) { must(t, os.Remove(path)); must(t, syscall.Mkfifo(path, 0o644)) }},
		{"a link to itself", "too many levels", func(path string) { must(t, os.Remove(path)); must(t, os.Symlink(path, path)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, h := world()
			path := filepath.Join(dir, strings.ReplaceAll(tc.name, " ", "-"))
			put(t, path, "a h:1\n")
			s := NewFile(o, FileOptions{Path: path, Parse: func(_ string, data []byte) ([]fleet.Backend, error) {
				if strings.TrimSpace(string(data)) == "" {
					return nil, nil
				}
				return list(data)
			}})
			run(t, s.Run)
			known(t, o.Backends, "a")
			tc.damage(path)
			until(t, "it says so", func() bool { return len(h.failures()) > 0 })
			if f := h.failures(); !strings.Contains(f[0], tc.want) || names(o.Backends) != "a" {
				t.Errorf("it says %q, the backends are %s", f, names(o.Backends))
			}
		})
	}
}

// Who mends a file and breaks it in another way is told so, and is told again while it is broken.
func TestWhatIsWrongWithAFileIsSaidOfItsLastEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "servers")
	synctest.Test(t, func(t *testing.T) {
		o, h := world()
		s := NewFile(o, FileOptions{Path: path, Parse: func(_ string, data []byte) ([]fleet.Backend, error) { return nil, errors.New(string(data)) }})
		put(t, path, "first")
		s.look()
		time.Sleep(lookFile)
		put(t, path, "second")
		for range 10 * time.Minute / lookFile {
			s.look()
			time.Sleep(lookFile)
		}
		if got := strings.Join(h.failures(), " "); got != "first second second" {
			t.Errorf("it says: %s", got)
		}
	})
}
