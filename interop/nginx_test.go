package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"weir/internal/proctest"
)

// startNginx starts nginx-rtmp with one live application, whose body also holds the
// given directives, and returns its address.
func startNginx(t *testing.T, directives, app string) string {
	t.Helper()
	nginx := nginxRTMP(t)
	dir := t.TempDir()
	addr := proctest.Addr(t)
	conf := filepath.Join(dir, "nginx.conf")
	err := os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off; master_process off; error_log stderr warn; pid %s/pid;
events { worker_connections 256; }
rtmp { server { listen %s; chunk_size 4096; access_log off; application %s { live on; wait_key on; wait_video on; %s } } }
`, nginxModule, dir, addr, app, directives), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "nginx", nginx, "-p", dir, "-c", conf)
	eventually(t, "nginx listens", func() error {
		if err := p.running(); err != nil {
			t.Fatal(err)
		}
		return accepts(addr)()
	})
	return addr
}
