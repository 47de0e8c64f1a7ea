package config

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/secret"
)

func TestDefaultIsAStandaloneServer(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("no file and no flags gave %+v", c)
	}
}

const full = `
node:
  name: o1
  roles: [origin, edge]
  advertise: media1.example.com
  zone: rack-7
  log_level: debug
  log_format: json
rtmp:
  listen: :1935
http: {listen: ":8080"}
admin:
  listen: 0.0.0.0:8081
  token: &t admin-token-in-full
store:
  kind: etcd
  endpoints:
    - 10.0.0.1:2379
    - https://10.0.0.2:2379
  user: weir
  password: "p4ss"
  secret: 0123456789abcdef0123456789abcdef
limits:
  handshake: 3s
  message: 4MiB
  connections_per_address: 1000
front:
  mode: carry
play:
  wait: 1m
publish:
  grace: 0
apps:
  live:
    play: {wait: 5s}
  events:
    play:
      grace: 1m
    publish:
      grace: 2s
`

func TestFileIsRead(t *testing.T) {
	c, err := Parse("weir.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Node = Node{Name: "o1", Roles: []Role{RoleOrigin, RoleEdge}, DrainTimeout: 10 * time.Second, Advertise: "media1.example.com", Zone: "rack-7", Weight: 1, LogLevel: slog.LevelDebug, LogFormat: LogJSON}
	want.Admin = Admin{Listen: "0.0.0.0:8081", Token: secret.New("admin-token-in-full")}
	want.Store.Kind, want.Store.Endpoints = StoreEtcd, []string{"10.0.0.1:2379", "https://10.0.0.2:2379"}
	want.Store.User, want.Store.Password = "weir", secret.New("p4ss")
	want.Store.Secret = secret.New("0123456789abcdef0123456789abcdef")
	want.Limits.Handshake, want.Limits.Message, want.Limits.ConnectionsPerAddr = 3*time.Second, 4*MiB, 1000
	want.Play.Wait, want.Publish.Grace = time.Minute, 0
	five, minute, two := 5*time.Second, time.Minute, 2*time.Second
	want.Apps = map[string]App{
		"live":   {Play: AppPlay{Wait: &five}},
		"events": {Play: AppPlay{Grace: &minute}, Publish: AppPublish{Grace: &two}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if p := c.PlayFor("live"); p.Wait != five || p.Grace != 10*time.Second {
		t.Errorf("PlayFor(live) = %+v", p)
	}
	if p := c.PlayFor("other"); p != c.Play {
		t.Errorf("PlayFor(other) = %+v", p)
	}
	if p := c.PublishFor("events"); p.Grace != two {
		t.Errorf("PublishFor(events) = %+v", p)
	}
}

func TestFlagsOverrideTheFile(t *testing.T) {
	c, err := Parse("weir.yaml", []byte("node: {name: a}\nrtmp: {listen: :1}\n"),
		Override{"--rtmp", "rtmp.listen", ":0"},
		Override{"--roles", "node.roles", "origin, edge"},
		Override{"--log-level", "node.log_level", "warn"})
	if err != nil {
		t.Fatal(err)
	}
	if c.RTMP.Listen != ":0" || c.Node.Name != "a" || !reflect.DeepEqual(c.Node.Roles, []Role{RoleOrigin, RoleEdge}) || c.Node.LogLevel != slog.LevelWarn {
		t.Errorf("got %+v", c)
	}
	_, err = Parse("", nil, Override{"--roles", "node.roles", "origins"}, Override{"--rtmp", "rtmp.listen", "1935"})
	want := `--roles: "origins" is not one of front, origin, edge; did you mean "origin"?` + "\n" +
		`--rtmp: "1935" is no address to listen on; write :1935` + "\n"
	if !strings.HasPrefix(err.Error()+"\n", want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEveryKeyCanBeWrittenAndOverridden(t *testing.T) {
	sample := map[string]string{
		"admin.listen": "127.0.0.1:1", "front.mode": "carry", "publish.duplicate": "takeover", "http.listen": ":2", "node.advertise": "h",
		"front.play": "carry", "front.publish": "splice", "front.http.plain": "false", "front.http.cookie.nocache": "false",
		"node.log_format": "json", "node.log_level": "error", "node.roles": "edge", "rtmp.listen": ":3",
		"rtmp.tls.listen": ":4", "store.kind": "etcd", "store.listen": ":5", "store.endpoints": "h:1", "store.peers": "a=h:1",
	}
	for _, key := range keys() {
		if strings.HasPrefix(key, "apps.") {
			continue
		}
		c := Default()
		v, ok := field(reflect.ValueOf(&c).Elem(), key)
		if !ok {
			t.Errorf("%s: no field", key)
			continue
		}
		typ := v.Type()
		if typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if isSection(typ) {
			continue // a list of sections has no flag
		}
		text := sample[key]
		if words := enums[typ]; text == "" && words != nil {
			text = words[len(words)-1]
		}
		if text == "" {
			switch reflect.Zero(typ).Interface().(type) {
			case time.Duration:
				text = "7s"
			case Size:
				text = "7MiB"
			case Rate:
				text = "7Mbps"
			case bool:
				text = "true"
			default:
				text = "7"
			}
		}
		d := newDecoder()
		d.override(&c, Override{"--x", key, text})
		if len(d.errs) > 0 || reflect.DeepEqual(c, Default()) && key != "front.mode" {
			t.Errorf("%s: %s did not arrive: %v", key, text, d.errs)
		}
	}
}

// bad holds files and the whole message for each: the first lines without, the
// golden ones with the marked line.
func TestBadFiles(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"unknown key", "node:\n  name: a\n  rolse: [front]\n", `
w.yaml:3:3: node.rolse: unknown key; did you mean "roles"?
    3 |   rolse: [front]
      |   ^^^^^
`},
		{"unknown section", "nodes:\n  name: a\n", `
w.yaml:1:1: nodes: unknown key; did you mean "node"?
    1 | nodes:
      | ^^^^^
`},
		{"key of another section", "listen: :1935\n", `
w.yaml:1:1: listen: unknown key; did you mean admin.listen?
    1 | listen: :1935
      | ^^^^^^
`},
		{"nothing near", "node:\n  shoesize: 43\n", `
w.yaml:2:3: node.shoesize: unknown key; known here: advertise, capacity, drain_timeout, log_format, log_level, name, public, roles, weight, zone
    2 |   shoesize: 43
      |   ^^^^^^^^
`},
		{"all at once, in the order of the file", "rtmp:\n  listen: 1935\nstore:\n  kind: etdc\nlimits:\n  handshake: 5\n  message: 8\nplay: {wait: soon}\n", `
w.yaml:2:11: rtmp.listen: "1935" is no address to listen on; write :1935
    2 |   listen: 1935
      |           ^^^^
w.yaml:4:9: store.kind: "etdc" is not one of memory, embedded, etcd; did you mean "etcd"?
    4 |   kind: etdc
      |         ^^^^
w.yaml:6:14: limits.handshake: "5" has no unit; write 5s for seconds or 5ms for milliseconds
    6 |   handshake: 5
      |              ^
w.yaml:7:12: limits.message: "8" has no unit; write 8B, 8KiB or 8MiB
    7 |   message: 8
      |            ^
w.yaml:8:14: play.wait: "soon" is no duration; write a number and a unit (ms, s, m, h), as in 10s
    8 | play: {wait: soon}
      |              ^^^^
`},
		{"enum without a near word", "front: {mode: splice}\n", `
w.yaml:1:15: front.mode: "splice" is not one of carry; it can be carry
    1 | front: {mode: splice}
      |               ^^^^^^
`},
		{"a list item", "node:\n  roles:\n    - front\n    - egde\n", `
w.yaml:4:7: node.roles[1]: "egde" is not one of front, origin, edge; did you mean "edge"?
    4 |     - egde
      |       ^^^^
`},
		{"section expected", "rtmp: :1935\n", `
w.yaml:1:7: rtmp: this must be a section with keys; write the keys below it, indented
    1 | rtmp: :1935
      |       ^^^^^
`},
		{"value expected", "rtmp:\n  listen: [a, b]\n", `
w.yaml:2:11: rtmp.listen: this must be one value, not a list
    2 |   listen: [a, b]
      |           ^
`},
		{"range", "limits: {chunk_streams: 5000, gop_time: 1s}\n", `
w.yaml:1:25: limits.chunk_streams: 5000 is out of range; it can be 8 to 4096
    1 | limits: {chunk_streams: 5000, gop_time: 1s}
      |                         ^^^^
w.yaml:1:41: limits.gop_time: viewer_lag (2s) is longer than gop_time (1s): nothing that old is kept; make viewer_lag the shorter one
    1 | limits: {chunk_streams: 5000, gop_time: 1s}
      |                                         ^^
`},
		{"the same port twice", "rtmp: {listen: :7000}\nhttp: {listen: 127.0.0.1:7000}\n", `
w.yaml:2:16: http.listen: 127.0.0.1:7000 is also rtmp.listen; give each listener its own port
    2 | http: {listen: 127.0.0.1:7000}
      |                ^^^^^^^^^^^^^^
`},
		{"open admin", "admin:\n  listen: :8081\n", `
w.yaml:2:11: admin.listen: :8081 can be reached from other machines, and no token guards it; set admin.token, or listen on 127.0.0.1
    2 |   listen: :8081
      |           ^^^^^
`},
		{"certificate missing", "rtmp:\n  tls:\n    listen: :1936\n    cert: nosuch.pem\n", `
w.yaml: rtmp.tls.key: missing: TLS needs a certificate and its private key; name the PEM file
w.yaml:4:11: rtmp.tls.cert: the certificate nosuch.pem cannot be read: no such file or directory
    4 |     cert: nosuch.pem
      |           ^^^^^^^^^^
`},
		{"store without endpoints", "store: {kind: etcd, dir: x}\n", `
w.yaml: store.endpoints: missing: store.kind is etcd; list etcd's client addresses, as in [10.0.0.1:2379, 10.0.0.2:2379, 10.0.0.3:2379]
w.yaml:1:26: store.dir: has no effect while store.kind is etcd; set store.kind: embedded, or remove it
    1 | store: {kind: etcd, dir: x}
      |                          ^
`},
		{"endpoints that cannot be connected to", "store: {kind: etcd, endpoints: [etcd1, ':2379', 'http://e:x', 'e:1:2']}\n", `
w.yaml:1:33: store.endpoints[0]: "etcd1" has no port; write etcd1:2379
    1 | store: {kind: etcd, endpoints: [etcd1, ':2379', 'http://e:x', 'e:1:2']}
      |                                 ^^^^^
w.yaml:1:40: store.endpoints[1]: ":2379" names no host; write HOST:PORT
    1 | store: {kind: etcd, endpoints: [etcd1, ':2379', 'http://e:x', 'e:1:2']}
      |                                        ^^^^^^^
w.yaml:1:49: store.endpoints[2]: "e:x": the port must be a number from 1 to 65535
    1 | store: {kind: etcd, endpoints: [etcd1, ':2379', 'http://e:x', 'e:1:2']}
      |                                                 ^^^^^^^^^^^^
w.yaml:1:63: store.endpoints[3]: "e:1:2" is no address; write an IPv6 address in brackets, as in [::1]:2379
    1 | store: {kind: etcd, endpoints: [etcd1, ':2379', 'http://e:x', 'e:1:2']}
      |                                                               ^^^^^^^
`},
		{"an edge alone", "node: {roles: [edge]}\n", `
w.yaml:1:15: node.roles: without the role origin, a node needs a store that it shares with other nodes; set store.kind to etcd or embedded, or add the role origin
    1 | node: {roles: [edge]}
      |               ^
`},
		{"tabs and letters of two bytes", "apps:\n  ключ: {plai: {}}\n", `
w.yaml:2:10: apps.ключ.plai: unknown key; did you mean "play"?
    2 |   ключ: {plai: {}}
      |          ^^^^
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("w.yaml", []byte(tc.file))
			var es Errors
			if !errors.As(err, &es) {
				t.Fatalf("err = %v", err)
			}
			if got := "\n" + es.Detail(); got != tc.want {
				t.Errorf("got%swant%s", got, tc.want)
			}
			var one *Error
			if !errors.As(err, &one) {
				t.Error("errors.As finds no *Error")
			}
		})
	}
}

func TestNotYAML(t *testing.T) {
	for _, file := range []string{"node: [a\n", "node:\n\tname: a\n", "a: b: c\n", "{", "- a\n", "x\n", "a: 1\na: 2\n", "node: {name: a}\n---\nnode: {name: b}\n", "a: *b\n", "node: &a *a\n", "node:\n  <<: {name: x}\n"} {
		_, err := Parse("w.yaml", []byte(file))
		var es Errors
		if !errors.As(err, &es) || es[0].Line == 0 {
			t.Errorf("%q: %v", file, err)
		}
	}
	for _, file := range []string{"", "# nothing\n", "node:\n", "---\n", "\ufeffnode: {name: a}\n", "node: {name: a}\r\nrtmp: {listen: ':0'}\r\n"} {
		if _, err := Parse("w.yaml", []byte(file)); err != nil {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestP7ErrorsDoNotQuoteSecrets(t *testing.T) {
	_, err := Parse("w.yaml", []byte("store: {kind: etcd, endpoints: [h:1], secret: tooshort}\nadmin: {tokne: t0ken}\n"))
	if err == nil || strings.Contains(err.Error(), "tooshort") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("err = %v", err)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxFileBytes+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		dir:                        "directory",
		big:                        "4MiB",
	} {
		_, err := Load(path)
		var es Errors
		if !errors.As(err, &es) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	c, err := Parse("/etc/weir/weir.yaml", []byte("store: {kind: embedded, dir: data}\n"))
	if err != nil || c.Store.Dir != "/etc/weir/data" {
		t.Errorf("dir = %s, %v", c.Store.Dir, err)
	}
	c, err = Parse("/etc/weir/weir.yaml", []byte("store: {kind: embedded}\n"), Override{"--store-dir", "store.dir", "data"})
	if err != nil || c.Store.Dir != "data" {
		t.Errorf("dir = %s, %v", c.Store.Dir, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("a: *b\nb: &b {c: *b}\n"))
	f.Add([]byte("? x\n: y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Parse("w.yaml", data)
		var es Errors
		if err != nil && (!errors.As(err, &es) || len(es) == 0 || es.Detail() == "") {
			t.Errorf("%T", err)
		}
	})
}
