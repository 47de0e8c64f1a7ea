package interop_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lab is a deployment of deploy/ as it stands there: every machine is a network
// namespace with the address that the files name, all on one switch. Nothing leaves
// it, so that ports and addresses are the machines' own.
type lab struct {
	t        *testing.T
	machines map[string]*machine
	replace  *strings.Replacer // paths of the files, for those of the test
}

// machine is one host of a lab.
type machine struct {
	lab  *lab
	name string
	hold *process // keeps the namespace
}

// newLab makes the machines, name and address each. paths replace those of the
// deployment's files: where it has data and certificates.
func newLab(t *testing.T, addresses map[string]string, paths ...string) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("not root: network namespaces cannot be made, and without them no deployment can be tried as it stands")
	}
	l := &lab{t: t, machines: map[string]*machine{}, replace: strings.NewReplacer(paths...)}
	hub := l.namespace("switch")
	hub.do("ip", "link", "add", "br0", "type", "bridge")
	hub.do("ip", "link", "set", "br0", "up")
	for name, ip := range addresses {
		m := l.namespace(name)
		hub.do("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(m.hold.p.Pid()))
		hub.do("ip", "link", "set", name, "master", "br0", "up")
		m.do("ip", "link", "set", "lo", "up")
		// One wire for all of the deployment's networks: a router is not what is tried.
		m.do("ip", "address", "add", ip+"/8", "dev", "eth0")
		m.do("ip", "link", "set", "eth0", "up")
		m.do("ip", "route", "add", "default", "dev", "eth0")
		l.machines[name] = m
	}
	return l
}

func (l *lab) namespace(name string) *machine {
	l.t.Helper()
	m := &machine{lab: l, name: name, hold: start(l.t, name+"'s namespace", "unshare", "--net", "sh", "-c", "echo made; exec sleep infinity")}
	eventually(l.t, "a network namespace", func() error {
		if err := m.hold.running(); err != nil {
			l.t.Fatalf("network namespaces cannot be made: %v", err)
		}
		if m.hold.log.String() == "" {
			return errors.New("not made yet")
		}
		return nil
	})
	return m
}

func (m *machine) on(argv []string) []string {
	return append([]string{"nsenter", "--net", "--target", strconv.Itoa(m.hold.p.Pid()), "--"}, argv...)
}

// start starts a program on the machine.
func (m *machine) start(argv ...string) *process {
	m.lab.t.Helper()
	return start(m.lab.t, m.name, m.on(argv)...)
}

// do runs a command on the machine, which has to succeed, and returns its output.
func (m *machine) do(argv ...string) string {
	m.lab.t.Helper()
	out, err := m.try(argv...)
	if err != nil {
		m.lab.t.Fatal(err)
	}
	return out
}

func (m *machine) try(argv ...string) (string, error) {
	argv = m.on(argv)
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %s: %w\n%s", m.name, strings.Join(argv[5:], " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// file copies a file of deploy/ to the machine and returns where it is.
func (m *machine) file(path string) string {
	m.lab.t.Helper()
	b, err := os.ReadFile(filepath.Join("../deploy", path))
	if err != nil {
		m.lab.t.Fatal(err)
	}
	to := filepath.Join(m.lab.t.TempDir(), filepath.Base(path))
	// Each machine has a /var of its own.
	text := strings.ReplaceAll(m.lab.replace.Replace(string(b)), "/var/lib/weir", filepath.Join(filepath.Dir(to), "weir"))
	if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
		m.lab.t.Fatal(err)
	}
	return to
}

// nginx starts Debian's nginx with a file of deploy/.
func (m *machine) nginx(path string) *process {
	m.lab.t.Helper()
	nginxRTMP(m.lab.t)
	dir := m.lab.t.TempDir()
	return m.start("nginx", "-p", dir, "-c", m.file(path), "-g", "daemon off; master_process off; error_log stderr warn; user root; pid "+dir+"/pid;")
}

// serve starts weir with a file of deploy/ and waits until it is ready.
func (m *machine) serve(path string, flags ...string) *process {
	m.lab.t.Helper()
	p := m.launch(path, flags...)
	m.ready(p)
	return p
}

func (m *machine) launch(path string, flags ...string) *process {
	m.lab.t.Helper()
	return m.start(append([]string{weirBinary(m.lab.t), "serve", "-c", m.file(path)}, flags...)...)
}

func (m *machine) ready(p *process) {
	m.lab.t.Helper()
	eventually(m.lab.t, m.name+" ready", func() error {
		if err := p.running(); err != nil {
			m.lab.t.Fatal(err)
		}
		if !strings.Contains(p.log.String(), "msg=ready") {
			return errors.New("no line that says ready yet")
		}
		return nil
	})
}

// weir runs a command of weir on the machine.
func (m *machine) weir(argv ...string) string {
	m.lab.t.Helper()
	return m.do(append([]string{weirBinary(m.lab.t)}, argv...)...)
}

// publish has ffmpeg publish a file until the test ends.
func (m *machine) publish(file, url string) *process {
	m.lab.t.Helper()
	return m.start(tool(m.lab.t, "ffmpeg"), "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", file,
		"-c", "copy", "-f", "flv", url)
}

// plays checks that a URL gives pictures that can be decoded.
func (m *machine) plays(url string) {
	m.lab.t.Helper()
	eventually(m.lab.t, m.name+" plays "+url, func() error {
		out, err := m.try(tool(m.lab.t, "ffmpeg"), "-hide_banner", "-loglevel", "error", "-rw_timeout", "5000000", "-i", url,
			"-map", "0:v", "-frames:v", "30", "-f", "framemd5", "-")
		if err != nil {
			return err
		}
		if n := strings.Count(out, "\n0,"); n < 29 {
			return fmt.Errorf("%d pictures of 30:\n%s", n, out)
		}
		return nil
	})
}
